// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/text.hpp>
#include <berth/base/utf8.hpp>
#include <berth/sandbox/detail/exec_process.hpp>
#include <berth/spec/json.hpp>

#include <unistd.h>

#include <algorithm>

namespace berth::detail {

BERTH_DECL result<container_process> container_process::parse(std::string_view config) {
  const auto parsed = parsed_json::parse(config);
  if (!parsed) return parsed.error();
  const json_view process = parsed->root()["process"];
  if (!process.is_object()) {
    return make_error(errc::invalid, "sandbox", "the container's spec says nothing of its process", "/process");
  }
  container_process found;
  found.env = process["env"].texts();
  found.cwd = std::string(process["cwd"].text().value_or("/"));
  const json_view user = process["user"];
  found.uid = user["uid"].number<std::uint32_t>().value_or(0);
  found.gid = user["gid"].number<std::uint32_t>().value_or(0);
  const json_view groups = user["additionalGids"];
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (const auto group = groups.at(i).number<std::uint32_t>()) found.groups.push_back(*group);
  if (const json_view capabilities = process["capabilities"]) found.capabilities = capabilities.to_json();
  found.no_new_privileges = process["noNewPrivileges"].truth().value_or(false);
  return found;
}

BERTH_DECL result<container_process> container_process::read(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  const auto text = read_file(path, 16u << 20, "sandbox");
  if (!text) return text.error();
  auto found = parse(*text);
  if (found) return found;
  error e = std::move(found).error();
  e.message += " (" + path + ")";
  return e;
}

BERTH_DECL result<exec_user> parse_exec_user(std::string_view user) {
  const std::size_t colon = user.find(':');
  exec_user found;
  const auto uid = parse_number<std::uint32_t>(user.substr(0, colon));
  if (colon != std::string_view::npos) found.gid = parse_number<std::uint32_t>(user.substr(colon + 1));
  if (!uid || (colon != std::string_view::npos && !found.gid)) {
    return make_error(errc::invalid, "sandbox", "a user is given as uid[:gid], in numbers", std::string(user),
                      "look the name up in the root file system's /etc/passwd first");
  }
  found.uid = *uid;
  return found;
}

/// Linux would take 128 KiB of a string and 2 MiB of all; gVisor has no such limit for a command of runsc's (seen with 8 MB on
/// release-20260701.0), only for what that starts in its turn.
inline constexpr std::size_t longest_exec_vectors = 8 * 1024 * 1024;

inline result<void> check_exec_strings(const std::vector<std::string>& strings, const std::string& what,
                                       const std::string& path, std::size_t& total) {
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const std::string& one = strings[i];
    // Of a variable only the name is shown: its value may be a secret.
    const std::string which = what == "variable" ? " " + one.substr(0, std::min<std::size_t>(one.find('='), 64)) : "";
    const std::string where = path + "/" + std::to_string(i);
    if (one.find('\0') != std::string::npos)
      return make_error(errc::invalid, "sandbox", "the " + what + which + " has a NUL in it", where);
    if (!is_utf8(one))
      return make_error(errc::invalid, "sandbox", "the " + what + which + " is not UTF-8, and runsc would change it",
                        where, "hand such bytes over by standard input or in a file");
    total += one.size() + 1;
  }
  return {};
}

BERTH_DECL result<void> check_exec_command(const command& what, const std::string& default_cwd) {
  const std::string& cwd = what.cwd.empty() ? default_cwd : what.cwd;
  if (what.argv.empty() || what.argv.front().empty())
    return make_error(errc::invalid, "sandbox", "the command is empty", "argv");
  for (const std::string& variable : what.env)
    if (const std::size_t equals = variable.find('='); equals == 0 || equals == std::string::npos)
      return make_error(errc::invalid, "sandbox", "an environment variable is not of the form K=V", "env",
                        "give NAME=value");
  if (cwd.empty() || cwd.front() != '/')
    return make_error(errc::invalid, "sandbox", "the working directory is not an absolute path: " + cwd, "cwd");
  std::size_t total = 0, of_cwd = 0;
  BERTH_TRY(check_exec_strings(what.argv, "argument", "argv", total));
  BERTH_TRY(check_exec_strings(what.env, "variable", "env", total));
  BERTH_TRY(check_exec_strings({cwd}, "working directory", "cwd", of_cwd));
  if (total > longest_exec_vectors)
    return make_error(errc::too_big, "sandbox",
                      "arguments and environment have " + std::to_string(total) + " bytes together, and " +
                          std::to_string(longest_exec_vectors) + " are the most",
                      "argv", "hand data over by standard input or in a file");
  return {};
}

BERTH_DECL result<std::string> exec_process_text(const container_process& container, const command& what,
                                                 const std::optional<exec_user>& user, bool terminal) {
  BERTH_TRY(check_exec_command(what, container.cwd));
  berth::json_writer out;  // spec has a writer of its own in detail
  out.open_object().key("terminal").boolean(terminal);
  out.key("user").open_object();
  out.key("uid").unsigned_number(user ? user->uid : container.uid);
  out.key("gid").unsigned_number(user && user->gid ? *user->gid : container.gid);
  out.key("additionalGids").open_array();
  for (const std::uint32_t group : container.groups) out.unsigned_number(group);
  if (user)
    for (const std::uint32_t group : user->groups) out.unsigned_number(group);
  out.close_array().close_object();
  out.key("args").open_array();
  for (const std::string& word : what.argv) out.string(word);
  out.close_array().key("env").open_array();
  for (const std::string& variable : merge_environment(container.env, what.env)) out.string(variable);
  out.close_array().key("cwd").string(what.cwd.empty() ? container.cwd : what.cwd);
  if (!container.capabilities.empty()) out.key("capabilities").raw(container.capabilities);
  out.key("noNewPrivileges").boolean(container.no_new_privileges);
  return out.close_object().take();
}

BERTH_DECL bool is_on_terminal(const stdio_options& io) {
  return io.in == stdio_options::input::fd && io.out == stdio_options::output::fd &&
         io.err == stdio_options::output::fd && ::isatty(io.in_fd) == 1 && ::isatty(io.out_fd) == 1 &&
         ::isatty(io.err_fd) == 1;
}

}  // namespace berth::detail
