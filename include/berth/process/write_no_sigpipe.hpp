// SPDX-License-Identifier: Apache-2.0
// write(2) to what may be a pipe without readers.
#pragma once

#include <berth/config.hpp>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

namespace berth {

/// write(2) without SIGPIPE. There is no MSG_NOSIGNAL for pipes, and a socket as a child's stdin cannot be reopened as
/// /dev/stdin; so the signal is blocked in this thread and, where this write raised it, taken back.
inline ssize_t write_no_sigpipe(int fd, const char* data, std::size_t size) {
  sigset_t pipe_signal;
  sigset_t before;
  sigset_t pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  ::sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t n = ::write(fd, data, size);
  const int saved = errno;
  if (n < 0 && saved == EPIPE && !was_pending) {
    const timespec no_time{};
    while (::sigtimedwait(&pipe_signal, nullptr, &no_time) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = saved;
  return n;
}

}  // namespace berth
