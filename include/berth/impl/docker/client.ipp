// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/docker/client.hpp>
#include <berth/docker/diagnose.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace berth {

BERTH_DECL command docker_client_command(std::vector<std::string> args, const std::string& socket) {
  command what;
  what.argv.push_back("docker");
  if (!socket.empty()) what.argv.push_back("--host=unix://" + socket);
  what.argv.insert(what.argv.end(), args.begin(), args.end());
  return what;
}

namespace detail {

inline error docker_client_error(const std::vector<std::string>& args, const command_result& ran) {
  error e =
      make_error(errc::docker_failed, "docker",
                 "docker " + (args.empty() ? std::string() : args.front()) + " ended with " + ran.status.to_string());
  e.detail = ran.err;
  while (!e.detail.empty() && e.detail.back() == '\n') e.detail.pop_back();
  const auto known = diagnose_docker(ran.err);
  if (!known.empty()) {
    e.message += " [" + std::string(known.front().what.id) + "]";
    e.hint = known.front().what.remedy;
  }
  return e;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<command_result>> run_docker(executor& where, std::vector<std::string> args,
                                                                     time_point deadline) {
  command what = docker_client_command(args);
  stdio_options io;
  auto ran = co_await run_command(where, std::move(what), std::move(io), deadline);
  if (!ran) co_return ran.error();
  if (!ran->status.success()) co_return detail::docker_client_error(args, *ran);
  co_return ran;
}

BERTH_DECL result<void> check_host_socket(const std::string& path) {
  const unique_fd entry(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!entry) {
    const int why = errno;
    return errno_error(why, "docker", "there is no Docker socket", path, "is the daemon ready?");
  }
  struct stat info {};
  if (::fstat(entry.get(), &info) != 0) return errno_error(errno, "docker", "cannot look at the Docker socket", path);
  if (!S_ISSOCK(info.st_mode))
    return make_error(errc::hostile, "docker", "what lies where the Docker socket must be is no socket", path,
                      "something in the sandbox put it there: do not use it, remove the sandbox");
  return {};
}

BERTH_DECL std::string docker_host_value(const std::string& path) { return "unix://" + path; }

}  // namespace berth
