// SPDX-License-Identifier: Apache-2.0
// Directories of sandboxes below berth's root: made, locked, removed.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/sandbox/root_directory.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace berth::detail {

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

/// Makes <root>/<record.id> holding the record, locked from the moment when it has its name. Errors: exists; as
/// check_socket_paths.
BERTH_DECL result<directory_lock> make_state_directory(const std::string& root, sandbox_record& record);

/// Takes the directory away, which must hold no mount any more. Idempotent.
BERTH_DECL result<void> remove_state_directory(const std::string& directory);

/// Whether it is a sandbox's directory, be it one whose record was lost: then it holds other things of ours. What else lies
/// in a root (lost+found, a file, somebody's directory) is nothing to list, remove or wait for.
BERTH_DECL bool is_state_directory(const std::string& directory);

/// The names of the sandboxes' directories, and of those that are half made or half removed (".new-…", ".old-…"): files
/// only, no other resource goes with them.
struct state_entries {
  std::vector<std::string> ids;
  std::vector<std::string> unfinished;
};
BERTH_DECL result<state_entries> list_state_directories(const std::string& root);

/// Removes a tree without following symlinks and without leaving its file system. Idempotent.
BERTH_DECL result<void> remove_tree(const std::string& path);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/state_directory.ipp>
#endif
