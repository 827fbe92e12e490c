// SPDX-License-Identifier: Apache-2.0
// The single checks of `berth doctor`.
#pragma once

#include <berth/sandbox/config.hpp>

#include <string>
#include <vector>

namespace berth::cli {

enum class check_state { found, missing, unfit };

struct check {
  std::string name;
  check_state state = check_state::found;
  std::string what;    ///< what was found, or why it does not do
  std::string remedy;  ///< what to do about it, or empty
  bool needed = true;  ///< without it nothing works; otherwise it is an extra
};

/// A root file system to look into.
struct examined_rootfs {
  std::string directory;  ///< empty: none
  std::string
      image;  ///< the image that was unpacked there, for as long as the checks last; empty: it is the user's own
};

/// All checks in order. Changes nothing on this machine.
std::vector<check> run_checks(const environment& where, const examined_rootfs& rootfs);

/// The checks that look into a root file system. `release` is runsc's, 0 where not known.
std::vector<check> check_rootfs(const examined_rootfs& rootfs, std::uint32_t release, bool packet_writes);

}  // namespace berth::cli
