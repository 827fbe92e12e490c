// SPDX-License-Identifier: Apache-2.0
// Directories of sandboxes below berth's root: made, locked, removed.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/directory_lock.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/sandbox/root_directory.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace berth::detail {

using berth::directory_lock;

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
