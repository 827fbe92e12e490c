// SPDX-License-Identifier: Apache-2.0
// `berth-init start-docker …`: sees to what dockerd needs in a gVisor sandbox, then becomes it.
#pragma once

#include <string>
#include <vector>

namespace berth::guest {

/// `args` from behind the verb on: docker_start_arguments. From the environment, and not left to dockerd: BERTH_START_NONCE, by
/// which the supervisor knows the markers, and BERTH_LOST_DOCKERD, the pid of a dockerd of ours that runs on though what ran it
/// was killed. Returns only where dockerd was not started: the exit code, 127 where there is none, 125 where another runs, 126
/// where a step failed, each told by a marker.
int start_docker(const std::vector<std::string>& args);

}  // namespace berth::guest
