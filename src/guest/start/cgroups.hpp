// SPDX-License-Identifier: Apache-2.0
// The cgroups that dockerd works with.
#pragma once

#include <string>

namespace berth::guest {

/// Makes the controllers of a sandbox whose runsc was started with `--in-sandbox-cgroup=v2` one hierarchy of version 1, at
/// /sys/fs/cgroup in place of version 2. gVisor charges a fork to one of the process's hierarchies of version 1, whichever its map
/// gives first (release-20260905.0): `pids.max` holds where there is only one. Without that option runsc has made one for each
/// controller before anything runs, and nothing is changed, nor where version 2 is not mounted there. What failed; empty:
/// nothing did. Then version 2 is as it was.
std::string join_cgroups();

}  // namespace berth::guest
