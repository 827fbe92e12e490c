// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace berth::guest {

/// Runs a program of the root file system's, looked up on PATH, and waits for its end; `input` is its standard input, and what
/// it prints comes to `printed` where that is given. `netns_of`: in the network namespace of that process; 0: in our own. The
/// exit code by the shell's convention, 127 where it could not be started.
int run_tool(const std::vector<std::string>& argv, const std::string& input, pid_t netns_of = 0,
             std::string* printed = nullptr);

/// Starts one that goes on by itself, with nothing on its standard streams.
void leave_tool(const std::vector<std::string>& argv);

}  // namespace berth::guest
