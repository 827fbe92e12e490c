// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/snapshot/store.hpp>

#include <string>
#include <string_view>

namespace berth::detail {

/// A snapshot that is being written: under a name that nobody lists, and locked, so that it is told from what was left behind.
/// Destroyed before it was finished it is removed again. Movable.
class unfinished_snapshot {
 public:
  /// Errors: exists (the name is taken), invalid, permission, io.
  BERTH_DECL static result<unfinished_snapshot> begin(const environment& where, std::string_view name);
  unfinished_snapshot(unfinished_snapshot&&) noexcept = default;
  unfinished_snapshot& operator=(unfinished_snapshot&&) = delete;
  BERTH_DECL ~unfinished_snapshot();

  /// Where its files go.
  const stored_snapshot& place() const noexcept { return place_; }

  /// Writes the manifest, sees all of it to the disk, and gives it its name. Errors: exists, io.
  BERTH_DECL result<void> finish(snapshot_manifest manifest);

 private:
  unfinished_snapshot() = default;
  stored_snapshot place_;
  std::string final_;
  unique_fd lock_;  ///< on its directory, as long as it is to be removed
};

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/unfinished.ipp>
#endif
