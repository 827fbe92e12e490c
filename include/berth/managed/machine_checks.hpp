// SPDX-License-Identifier: Apache-2.0
// What this machine has of what berth needs, lacks, or has in a form that does not do.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/managed/machine_check.hpp>
#include <berth/sandbox/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

BERTH_DECL std::string_view check_state_name(check_state state) noexcept;

/// A root file system to look into.
struct examined_rootfs {
  std::string directory;  ///< empty: none
  std::string
      image;  ///< what was unpacked there for as long as the checks last; empty: the directory is the user's own
};

/// All checks in order: user, kernel, runsc and what its release lacks, ip, nft, firewall, berth-init, the state directory, and
/// the Docker in `rootfs`. Changes nothing but the cache of runsc's flags. Blocks, for half a second where that cache is empty; a
/// runsc or an nft that hangs is given up after 30 and 10 s.
BERTH_DECL std::vector<machine_check> check_machine(const environment& where, const examined_rootfs& rootfs = {});

/// The checks that look into a root file system. `release` is runsc's, 0 where not known.
BERTH_DECL std::vector<machine_check> check_rootfs(const examined_rootfs& examined, std::uint32_t release,
                                                   bool packet_writes);

/// Whether all that is needed is found.
BERTH_DECL bool is_fit(const std::vector<machine_check>& checks);

/// Two members of the object that is open: "ok":true,"checks":[{"name","state","needed","found","remedy"}]
BERTH_DECL void write_members(json_writer& to, const std::vector<machine_check>& checks);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/machine_checks.ipp>
#include <berth/impl/managed/rootfs_checks.ipp>
#endif
