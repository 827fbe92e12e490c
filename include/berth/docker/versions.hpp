// SPDX-License-Identifier: Apache-2.0
// Which Docker a root file system holds, read from its package records without running anything of it.
#pragma once

#include <berth/base/result.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// A dotted version as Docker, containerd and runc number theirs. All zero: not known.
struct program_version {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t patch = 0;

  bool known() const noexcept { return major != 0 || minor != 0 || patch != 0; }
  bool at_least(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) const noexcept {
    return *this >= program_version{a, b, c};
  }
  std::string to_string() const {
    return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  }
  friend auto operator<=>(const program_version&, const program_version&) = default;
};

/// What is known of the programs that make up a Docker.
struct docker_versions {
  program_version docker;
  program_version containerd;
  program_version runc;
};

/// Reads "20.10.24+dfsg1-1+deb12u1", "5:28.5.2-1~debian.13~trixie" (a Debian epoch), "v2.1.9" or "27.3.1-r0". Text that
/// does not start with a number gives the unknown version.
BERTH_DECL program_version parse_program_version(std::string_view text) noexcept;

/// The versions in the text of a dpkg status file: docker.io or docker-ce, containerd or containerd.io, runc. The runc
/// inside containerd.io carries no version of its own there and stays unknown.
BERTH_DECL docker_versions parse_dpkg_status(std::string_view status);

/// The same from Alpine's /lib/apk/db/installed.
BERTH_DECL docker_versions parse_apk_installed(std::string_view installed);

/// Looks at the package records below `rootfs`. Symlinks resolve inside of it (openat2, RESOLVE_IN_ROOT), so that a
/// hostile image cannot point elsewhere. No record of Docker gives unknown versions, not an error.
/// Errors: not_found (no such directory), io, too_big (a record over 64 MiB).
BERTH_DECL result<docker_versions> read_docker_versions(const std::string& rootfs);

/// Is there a dockerd to execute below `rootfs`, in one of the directories of PATH's usual value?
BERTH_DECL result<bool> has_dockerd(const std::string& rootfs);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/versions.ipp>
#endif
