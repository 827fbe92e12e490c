// SPDX-License-Identifier: Apache-2.0
// What runc wrote down of a container (state.json), as far as its memory is concerned.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

struct runc_state {
  std::string memory_cgroup;  ///< its directory; empty: there is none, or this is no state
  pid_t init = 0;
  /// Directories of this sandbox's that the container writes files to: its layer, where it can be told (overlay2), and what is
  /// bound into it.
  std::vector<std::string> directories;
  std::vector<std::string> tmpfs;  ///< of its own, as it sees them
};

/// Pure.
runc_state read_runc_state(std::string_view json);

}  // namespace berth::guest
