// SPDX-License-Identifier: Apache-2.0
// A file descriptor with one owner.
#pragma once

#include <berth/config.hpp>

#include <unistd.h>

#include <utility>

namespace berth {

/// Owns a descriptor and closes it. -1 means none. Every descriptor that berth makes is O_CLOEXEC from birth.
class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~unique_fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives up ownership.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) ::close(fd_);  // Linux frees the number even on EINTR: never retried
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace berth
