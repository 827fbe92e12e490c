// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/runsc/binary.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace berth {
namespace detail {

inline constexpr std::string_view install_runsc_hint =
    "install gVisor's runsc (https://gvisor.dev/docs/user_guide/install/), or name it by its path";

inline bool is_program(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

inline const runsc_flag* find_flag(const std::vector<runsc_flag>& sorted, std::string_view name) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const runsc_flag& flag, std::string_view n) { return flag.name < n; });
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

/// Whether `runsc help` lists the verb: "\tcheckpoint       checkpoint current state…".
inline bool lists_verb(std::string_view text, std::string_view verb) {
  const std::string line = "\t" + std::string(verb) + " ";
  const std::size_t at = text.find(line);
  return at != std::string_view::npos && (at == 0 || text[at - 1] == '\n');
}

inline std::string release_text(std::uint32_t date) { return "release-" + std::to_string(date) + ".0"; }

}  // namespace detail

BERTH_DECL const std::vector<std::string_view>& runsc_probed_verbs() {
  static const std::vector<std::string_view> verbs = {"checkpoint", "create",       "delete", "events",
                                                      "exec",       "fscheckpoint", "kill",   "list",
                                                      "ps",         "restore",      "run",    "wait"};
  return verbs;
}

BERTH_DECL result<std::string> find_runsc(std::string_view name, std::string_view search_path) {
  if (name.empty()) name = "runsc";
  if (name.find('\0') != std::string_view::npos)
    return make_error(errc::invalid, "runsc", "a NUL in the name of the runsc binary");
  if (name.find('/') != std::string_view::npos) {
    std::error_code ignored;
    std::string path = std::filesystem::absolute(std::filesystem::path(name), ignored).lexically_normal().string();
    if (detail::is_program(path)) return path;
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0)
      return make_error(errc::permission, "runsc", "not a program that can be run", path,
                        "name the runsc binary, and make it executable");
    return make_error(errc::runsc_not_found, "runsc", "there is no runsc binary", path,
                      std::string(detail::install_runsc_hint));
  }
  for (std::size_t at = 0; at <= search_path.size();) {
    const std::size_t end = std::min(search_path.find(':', at), search_path.size());
    const std::string_view directory = search_path.substr(at, end - at);
    at = end + 1;
    // An empty or relative part would mean whatever directory we happen to be in.
    if (directory.empty() || directory.front() != '/') continue;
    std::string path = std::string(directory) + "/" + std::string(name);
    if (detail::is_program(path)) return path;
  }
  return make_error(errc::runsc_not_found, "runsc", "no runsc on the search path " + std::string(search_path),
                    std::string(name), std::string(detail::install_runsc_hint));
}

BERTH_DECL result<runsc_binary> runsc_binary::from_text(std::string path, const runsc_texts& texts) {
  auto made = std::make_shared<data>();
  auto version = parse_runsc_version_output(texts.version);
  if (!version) return std::move(version).error();
  made->version = *std::move(version);
  auto flags = parse_runsc_flags(texts.flags);
  if (!flags) return std::move(flags).error();
  made->flags = *std::move(flags);
  // The verbs that have no options of berth's are known by the list alone.
  for (std::string_view verb : {"start", "state", "pause", "resume", "tar"})
    if (detail::lists_verb(texts.verbs, verb)) made->verbs[std::string(verb)];
  for (std::string_view verb : runsc_probed_verbs()) {
    if (!detail::lists_verb(texts.verbs, verb)) continue;
    std::vector<runsc_flag>& options = made->verbs[std::string(verb)];
    const auto help = texts.help.find(std::string(verb));
    if (help == texts.help.end()) continue;
    if (auto parsed = parse_runsc_flags(help->second)) options = *std::move(parsed);
  }
  if (made->verbs.empty())
    return make_error(errc::runsc_output, "runsc", "no verb in what `runsc help` printed", path,
                      "check that the program is gVisor's runsc");
  made->path = std::move(path);
  return runsc_binary(std::move(made));
}

BERTH_DECL const runsc_flag* runsc_binary::find(std::string_view verb, std::string_view flag) const {
  if (verb.empty()) return detail::find_flag(data_->flags, flag);
  const auto found = data_->verbs.find(verb);
  return found == data_->verbs.end() ? nullptr : detail::find_flag(found->second, flag);
}

BERTH_DECL bool runsc_binary::has(std::string_view flag) const { return has({}, flag); }

BERTH_DECL bool runsc_binary::has_verb(std::string_view verb) const {
  return data_->verbs.find(verb) != data_->verbs.end();
}

BERTH_DECL bool runsc_binary::has(std::string_view verb, std::string_view flag) const {
  const runsc_flag* const found = find(verb, flag);
  return found != nullptr && !found->no_effect;
}

BERTH_DECL std::string_view runsc_binary::packet_write_flag() const {
  for (std::string_view name : {"allow-packet-socket-write", "TESTONLY-allow-packet-endpoint-write"})
    if (has(name)) return name;
  return {};
}

BERTH_DECL result<void> runsc_binary::require(std::string_view verb, std::string_view flag) const {
  if (flag.empty() ? has_verb(verb) : has(verb, flag)) return {};
  return lacking(verb, flag);
}

BERTH_DECL error runsc_binary::lacking(std::string_view verb, std::string_view flag) const {
  const bool whole_verb = flag.empty();
  // A verb that is lacking is the cause of its options lacking.
  if (!whole_verb && !verb.empty() && !has_verb(verb)) return lacking(verb, {});
  std::string what = whole_verb ? "`runsc " + std::string(verb) + "`" : "--" + std::string(flag);
  if (!whole_verb && !verb.empty()) what += " of `runsc " + std::string(verb) + "`";
  std::string message = "this runsc is " + version().text + "; ";
  std::string hint;
  const runsc_flag_history* const history = find_runsc_flag_history(verb, flag);
  if (history == nullptr) {
    message += "it has no " + what;
    hint = "`runsc " + (verb.empty() ? std::string("flags") : "help " + std::string(verb)) + "` lists what it has";
  } else if (history->until != 0 && version().at_least(history->until)) {
    message += what + " is gone since " + detail::release_text(history->until);
  } else {
    message += what + " needs " + detail::release_text(history->since);
    if (!history->before.empty()) message += " (before: --" + std::string(history->before) + ")";
    hint = "use a newer runsc, or do without";
  }
  if (history != nullptr && !history->instead.empty()) hint = history->instead;
  return make_error(errc::runsc_flag_unsupported, "runsc", std::move(message), path(), std::move(hint));
}

}  // namespace berth
