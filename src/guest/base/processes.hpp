// SPDX-License-Identifier: Apache-2.0
// What /proc says about processes.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace berth::guest {

/// All that there are, in no order.
std::vector<pid_t> processes();

/// What the kernel calls it, cut off after 15 characters. Empty where it is gone.
std::string name_of_process(pid_t pid);

/// Whether it runs the file that this program is.
bool runs_this_program(pid_t pid);

/// 0 where it is gone.
pid_t parent_of(pid_t pid);

/// "net:[7]", the same for all that are in it. Empty where it is gone.
std::string network_namespace_of(pid_t pid);

}  // namespace berth::guest
