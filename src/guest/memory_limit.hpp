// SPDX-License-Identifier: Apache-2.0
// Holds containers to their memory limits, which gVisor counts and does not keep (release-20260701.0: memory.limit_in_bytes is
// a number that nothing reads).
#pragma once

#include "runtime_args.hpp"

#include <cstdint>
#include <string_view>

namespace berth::guest {

/// Leaves a process behind that watches the container until it is gone. Once it is over its limit its processes are stopped,
/// containerd is told, and they are killed: Docker has OOMKilled and exit code 137. For `create` it is called once the
/// container is there; for `run` and `update` before runc does its work, of which the process waits to see the traces.
///
/// A container is over its limit when both its cgroup counts more, and its processes have more resident. The first alone
/// counts files on a tmpfs, as Docker's data root is one; the second alone counts what processes share once for each.
void hold_to_memory_limit(const runc_arguments& arguments);

/// How long to wait before the next look, in milliseconds, from what the last one saw and took. The nearer to the limit the
/// sooner, and never so often that looking takes a twentieth of the time. Pure.
int pause_before_next_look(std::uint64_t usage, std::uint64_t limit, std::uint64_t look_us);

}  // namespace berth::guest
