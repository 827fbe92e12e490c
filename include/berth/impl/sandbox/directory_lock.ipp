// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/cancellation.hpp>
#include <berth/sandbox/directory_lock.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace berth {

BERTH_DECL result<directory_lock> directory_lock::try_lock(const std::string& directory) {
  directory_lock lock;
  lock.fd_.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!lock.fd_) return errno_error(errno, "sandbox", "cannot open the sandbox's directory", directory);
  if (::flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error(errno, "sandbox", "cannot lock the sandbox", directory);
    return make_error(errc::again, "sandbox", "the sandbox is being created or removed", directory, "try again");
  }
  struct stat mine {};
  struct stat there {};
  if (::fstat(lock.fd_.get(), &mine) != 0 || ::lstat(directory.c_str(), &there) != 0) {
    return errno_error(errno, "sandbox", "cannot open the sandbox's directory", directory);
  }
  if (mine.st_ino != there.st_ino || mine.st_dev != there.st_dev) {
    return make_error(errc::again, "sandbox", "the sandbox is being created or removed", directory, "try again");
  }
  return lock;
}

BERTH_DECL boost::asio::awaitable<result<directory_lock>> directory_lock::lock(std::string directory,
                                                                               time_point deadline) {
  for (;;) {
    auto lock = try_lock(directory);
    if (lock || lock.error().code != errc::again) co_return lock;
    if (clock::now() >= deadline) {
      error e = std::move(lock).error();
      e.code = errc::timeout;
      co_return e;
    }
    const milliseconds pause(10);
    if (!co_await pause_for(pause)) {
      co_return make_error(errc::cancelled, "sandbox", "cancelled while waiting for the lock", directory);
    }
  }
}

}  // namespace berth
