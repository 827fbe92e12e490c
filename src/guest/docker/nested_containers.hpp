// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace berth::guest {

/// Whether a container runs in the sandbox, or is paused there: one of Docker's, or what BuildKit makes for a step of a build. By
/// the processes that stay with each of them.
bool runs_nested_containers();

}  // namespace berth::guest
