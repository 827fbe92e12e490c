// SPDX-License-Identifier: Apache-2.0
// Holds containers to their memory limits, which gVisor counts and does not keep (release-20260701.0: memory.limit_in_bytes is
// a number that nothing reads).
#pragma once

#include "runtime_args.hpp"

#include <cstdint>

namespace berth::guest {

/// Leaves a process behind that watches the container until it is gone. Once it is over its limit its processes are killed but
/// for its first, which is stopped; containerd is told, and the first is killed: Docker has OOMKilled and exit code 137. For
/// `create` it is called once the container is there; for `run` and `update` before runc does its work.
///
/// gVisor counts for a container its processes' memory and the files that they have written to a tmpfs, as Docker's data root is
/// one. So it is over its limit when that sum, without the files, is more, and its processes have more resident: what they share
/// counts once in the first, and once for each in the second.
void hold_to_memory_limit(const runc_arguments& arguments);

/// How long to wait before the next look, in milliseconds, from what the last one saw and took. The nearer to the limit the
/// sooner, and never so often that looking takes more than a twentieth of the time. Pure.
int pause_before_next_look(std::uint64_t usage, std::uint64_t limit, std::uint64_t look_us);

}  // namespace berth::guest
