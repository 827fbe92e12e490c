// SPDX-License-Identifier: Apache-2.0
// Docker's clients of a sandbox that is hibernated: somebody on this host listens in its place, from before its state says so until
// its own Docker listens again.
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/record.hpp>

#include <sys/types.h>

namespace berth::guest {

class docker_callers {
 public:
  docker_callers() = default;
  /// Listens where the sandbox's Docker did; not where that had no socket, or what is there cannot be replaced.
  explicit docker_callers(const sandbox_record& record);

  explicit operator bool() const { return static_cast<bool>(listener_); }
  int fd() const { return listener_.get(); }
  bool have_called() const;

  /// Of a sandbox that is awake again, whose Docker may yet have to come back: listens until it does, connects those who have called
  /// with it, and comes back when the last of them has gone.
  void connect(const sandbox_record& record);

 private:
  unique_fd listener_;
  ino_t place_ = 0;  ///< the socket's in its directory
};

}  // namespace berth::guest
