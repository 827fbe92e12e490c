// SPDX-License-Identifier: Apache-2.0
// The snapshots of a root directory: ROOT/.snapshots/NAME, each a directory of berth's alone.
#pragma once

#include <berth/sandbox/config.hpp>
#include <berth/snapshot/manifest.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// A snapshot as it lies on disk.
struct stored_snapshot {
  snapshot_manifest manifest;
  std::string directory;
  bool damaged = false;  ///< its manifest cannot be read: only its name and directory are known
  std::string damage;    ///< why

  std::string image() const { return directory + "/image"; }  ///< runsc's files
  std::string spec() const { return directory + "/config.json"; }
  std::string init() const { return directory + "/init"; }            ///< the guest that its sandbox ran
  std::string data_root() const { return directory + "/data-root"; }  ///< of Docker's, where that was on the host
};

namespace detail {
inline constexpr std::string_view snapshots_directory = "/.snapshots";  ///< below the root
}

/// What users see of a snapshot, as a JSON object on one line: "name", "created_ms", "took_ms", "bytes", "docker", "sandbox",
/// "rootfs", "memory_bytes", "cpus", "network", "runsc", "berth", "annotations", "directory"; of a damaged one "name", "damage", "directory".
BERTH_DECL std::string format_snapshot(const stored_snapshot& snapshot);

/// As a sandbox's id. Errors: invalid.
BERTH_DECL result<void> check_snapshot_name(std::string_view name);

/// All of them, by name; half-written ones are none. A root that is not there holds none. Errors: permission, io.
BERTH_DECL result<std::vector<stored_snapshot>> list_snapshots(const environment& where);
/// Errors: not_found, invalid (no name), record_damaged, permission, io.
BERTH_DECL result<stored_snapshot> find_snapshot(const environment& where, std::string_view name);
/// Sandboxes that were restored from it need it no more. Errors: not_found, invalid, io.
BERTH_DECL result<void> remove_snapshot(const environment& where, std::string_view name);
/// What killed processes left half-written or half-removed. Gives how many there were. Errors: io.
BERTH_DECL result<int> remove_unfinished_snapshots(const environment& where);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/store.ipp>
#endif
