// SPDX-License-Identifier: Apache-2.0
// A process that follows Docker's bridges as they come and go, and gives each its rules (firewall.hpp). It ends with dockerd.
#pragma once

namespace berth::guest {

/// The verb of berth-init.
inline constexpr const char* follow_bridges_verb = "follow-bridges";

/// The whole program, by the network record. The exit code.
int follow_bridges();

/// Starts it as a process of its own, in place of those that run.
void start_following_bridges();

}  // namespace berth::guest
