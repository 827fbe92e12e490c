// SPDX-License-Identifier: Apache-2.0
// On the host: the end of a sandbox whose creator has gone.
#pragma once

namespace berth::guest {

/// The descriptors that it is given: a pidfd of the creator, a socket from it, the sandbox's directory, and a pidfd of its
/// owner where it has one.
inline constexpr int watch_creator_fd = 3, watch_pipe_fd = 4, watch_directory_fd = 5, watch_owner_fd = 6;

/// `token`: the sandbox's; `program`: the berth command, or empty; `lifetime`: in milliseconds, 0 without end. Goes on in a
/// process of its own, and returns as soon as that watches. The exit code of the program.
int watch_creator(const char* token, const char* program, long long lifetime, bool has_owner);

}  // namespace berth::guest
