// SPDX-License-Identifier: Apache-2.0
// A sandbox that nobody uses is paused from outside, and goes on when somebody does: what the watch of a root directory has
// processes of its own do, which may take as long as runsc does.
#pragma once

#include "program.hpp"

#include <berth/sandbox/record.hpp>

#include <cstdint>

namespace berth::guest {

/// Pauses it where nobody has used it for its idle timeout; one that hibernates the berth command saves to the disk. Its guest is asked how long that is: what it says is bounded in size
/// and time, and a lie does no more than to keep it awake, or to pause it while it is used. 0 where it is asleep then, else in how
/// many milliseconds it is to be looked at again.
std::int64_t put_to_sleep(const sandbox_record& record, const berth_command& command);

/// It goes on where it is asleep.
void wake(const sandbox_record& record);

}  // namespace berth::guest
