// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace berth {

/// The lock of one sandbox: a flock on its directory itself, held through creation and removal. It goes with the process,
/// so a lock that can be had means that nobody is at work. A lock got on a directory that was removed or replaced in the
/// meantime does not count.
class directory_lock {
 public:
  directory_lock() = default;
  /// Errors: again (held), not_found (no such directory), permission, io.
  BERTH_DECL static result<directory_lock> try_lock(const std::string& directory);
  /// Waits without blocking the loop. Errors: as try_lock, but timeout in place of again; cancelled.
  BERTH_DECL static boost::asio::awaitable<result<directory_lock>> lock(std::string directory, time_point deadline);
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  void release() noexcept { fd_.reset(); }

 private:
  unique_fd fd_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/directory_lock.ipp>
#endif
