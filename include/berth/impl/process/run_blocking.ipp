// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/process/run_blocking.hpp>
#include <berth/process/spawn.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <utility>

namespace berth {

BERTH_DECL result<std::string> run_blocking(const std::vector<std::string>& argv, time_point deadline) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "process", "cannot make a pipe");
  const unique_fd reader(ends[0]);
  unique_fd writer(ends[1]);
  spawn_options options;
  options.argv = argv;
  options.env = minimal_environment();
  options.fds = {{writer.get(), 1}, {writer.get(), 2}};
  auto started = spawn(options);
  if (!started) return std::move(started).error();
  writer.reset();

  const auto left = [deadline] {
    const auto ms = std::chrono::ceil<milliseconds>(deadline - clock::now()).count();
    return static_cast<int>(std::clamp<decltype(ms)>(ms, 0, std::numeric_limits<int>::max()));
  };
  std::string text;
  bool late = false;
  for (char buffer[8192];;) {
    pollfd wait{reader.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, left());
    if (ready < 0 && errno == EINTR) continue;
    late = ready == 0;
    if (ready <= 0) break;
    const ssize_t n = ::read(reader.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (text.size() < (1u << 20)) text.append(buffer, static_cast<std::size_t>(n));
  }
  if (late) (void)signal_pidfd(started->pidfd.get(), SIGKILL);
  for (bool killed = late;;) {
    // One that hangs in the kernel does not end by SIGKILL either. It stays behind, as a zombie in the end.
    pollfd wait{started->pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, killed ? 10000 : left());
    if (ready < 0 && errno == EINTR) continue;
    if (ready > 0 || killed) break;
    late = killed = true;
    (void)signal_pidfd(started->pidfd.get(), SIGKILL);
  }
  auto status = child_status(started->pidfd.get(), reap_mode::take);
  if (late) {
    return make_error(errc::timeout, "process", "the program did not end in time and was killed", argv.front());
  }
  if (!status) return std::move(status).error();
  if (!*status || !(*status)->success()) {
    error e = make_error(errc::process_exited, "process",
                         "the program failed with " + (*status ? (*status)->to_string() : std::string("no status")),
                         argv.front());
    e.detail = text.substr(0, 4096);
    return e;
  }
  return text;
}

}  // namespace berth
