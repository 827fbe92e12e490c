// SPDX-License-Identifier: Apache-2.0
// A sandbox's resources on the host other than its network and its processes: the shared tmpfs, the root's layer, cgroups.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth::detail {

/// Mounts the tmpfs that a sandbox shares with the host: 20 MiB, 64 inodes, nosuid, nodev, noexec, nosymfollow. Errors:
/// mount_failed, permission, unsupported (a kernel before 5.10 has no nosymfollow, without which host programs would
/// follow symlinks that the sandbox makes).
BERTH_DECL result<void> mount_shared(const std::string& directory);
/// Unmounts it, as often as something is mounted there; while a host process is in it, for up to 0.1 s, and then away
/// from its name only. Idempotent. Errors: mount_failed, permission, cancelled.
BERTH_DECL boost::asio::awaitable<result<void>> unmount_shared(std::string directory);

/// Mounts `rootfs` at `record.root()` beneath an empty layer of the sandbox's own: runsc makes the mount points that a
/// root file system lacks on the host's side, whatever --overlay2 says, and they are to end up in that layer. Unmount
/// it by unmount_shared. Errors: unsupported (the kernel, or the file system of the state directory, knows no overlay),
/// mount_failed, permission.
BERTH_DECL result<void> mount_root(const sandbox_record& record);
/// Pure: the mount options, with what separates them escaped in the paths.
BERTH_DECL std::string root_mount_options(const std::string& lower, const std::string& upper, const std::string& work);

/// Where cgroup hierarchies are mounted, from a mountinfo text: v1 controllers and v2. Pure.
BERTH_DECL std::vector<std::string> parse_cgroup_mounts(std::string_view mountinfo);
/// Removes the cgroup of that path ("/berth-…") and those beneath it from every hierarchy. Idempotent.
BERTH_DECL boost::asio::awaitable<result<void>> remove_cgroups(std::string cgroups_path, time_point deadline);
/// The first-level cgroups whose names begin with `prefix`, each once. Errors: what kept it from looking.
BERTH_DECL result<std::vector<std::string>> find_cgroups(const std::string& prefix);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/host_resources.ipp>
#endif
