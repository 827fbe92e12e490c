// SPDX-License-Identifier: Apache-2.0
// `berth env`: the variables that point a Docker client at a sandbox.
#include "lookup.hpp"

#include <berth/docker/client.hpp>

namespace berth::cli {
namespace {

// Single quotes, so that the shell reads back the same bytes whatever the path holds.
std::string shell_quoted(const std::string& text) {
  if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:._+-") ==
      std::string::npos)
    return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

int print_docker_host(const std::string& id, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, id);
  if (!box) return fail_lookup(box.error(), call);
  const auto socket = check_docker_socket(**box);
  if (!socket) return fail(socket.error(), call);
  const std::string value = docker_host_value(*socket);
  const bool printed = call.common.json ? print_member("DOCKER_HOST", value)
                                        : print_text("export DOCKER_HOST=" + shell_quoted(value) + "\n");
  return printed ? exit_ok : exit_failed;
}

}  // namespace

void add_env(CLI::App& app, invocation& call) {
  auto id = std::make_shared<std::string>();
  app.add_option("ID", *id, "the sandbox")->required();
  add_examples(app, {"eval \"$(berth env box)\" && docker ps"});
  app.callback([id, &call] { call.act = [id, &call] { return print_docker_host(*id, call); }; });
}

}  // namespace berth::cli
