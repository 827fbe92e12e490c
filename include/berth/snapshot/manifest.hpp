// SPDX-License-Identifier: Apache-2.0
// What stands beside a snapshot's image: what it was made of, and what a machine must have to restore it.
#pragma once

#include <berth/base/result.hpp>
#include <berth/sandbox/record.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// Of a machine and a root file system, as far as a restored sandbox depends on it.
struct snapshot_base {
  std::string runsc;  ///< the version text: an image is read by the release that wrote it only
  std::string cpu;    ///< the CPU's features, as /proc/cpuinfo has them: programs inside have looked at them already
  std::string
      rootfs;  ///< of the root file system: programs go on reading the files that they had open. See rootfs_identity
};

struct snapshot_manifest {
  static constexpr int current_version = 1;

  std::string name;
  std::int64_t created_ms = 0;  ///< Unix time
  std::int64_t took_ms = 0;     ///< how long it took to make
  std::uint64_t bytes = 0;      ///< on disk
  std::string berth;            ///< the version that made it
  bool docker = false;          ///< with a dockerd that is ready
  snapshot_base base;
  sandbox_record source;  ///< of the sandbox that it was made of
};

/// The manifest as JSON text, and back. Errors: record_damaged.
BERTH_DECL std::string format_snapshot_manifest(const snapshot_manifest& manifest);
BERTH_DECL result<snapshot_manifest> parse_snapshot_manifest(std::string_view json);

/// Whether a snapshot can be restored where `here` is so. Pure. Errors: unsupported, saying what differs and what to do.
BERTH_DECL result<void> check_snapshot_base(const snapshot_manifest& manifest, const snapshot_base& here);

/// Which file system this is, and whether its system directories were changed: from their inodes and times, nothing is read
/// through. Errors: errno's.
BERTH_DECL result<std::string> rootfs_identity(const std::string& directory);

/// The features of this machine's CPU. Empty where /proc/cpuinfo names none.
BERTH_DECL std::string cpu_features();

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/manifest.ipp>
#endif
