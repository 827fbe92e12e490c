// SPDX-License-Identifier: Apache-2.0
// `runc create` and `run`, tried again where the container's first process was lost before it could become the container's
// program.
#pragma once

#include "runtime_args.hpp"

#include <string>
#include <vector>

namespace berth::guest {

/// Runs it, and sees to it that the process it leaves waits to be started. `argv` is runc's, with its path in front. The
/// exit code of the program.
///
/// runc's first process waits in open(2) of a FIFO. On gVisor that call ends with EINTR when a signal comes just then, as Go's
/// runtime sends itself, and is not begun again (20260701.0; seen once in some 250 starts on a busy machine): the process
/// ends, and `runc start` finds nothing ("exec fifo … interrupted system call"). Nothing of the container's own has run by
/// then.
int create_container(const runc_arguments& arguments, const std::vector<char*>& argv);

/// Whether `runc run` can be run again: runc says in its log why it failed, and has read nothing of an input that would be lost
/// (standard input is /dev/null, as it is for BuildKit's steps; runc copies any other to the container as soon as it starts).
bool may_run_again(const runc_arguments& arguments);

/// create_container for `runc run`, which waits for the program. It is run again only where runc says itself that its first
/// process ended before it was started. Signals go on to runc.
int run_container(const runc_arguments& arguments, const std::vector<char*>& argv);

}  // namespace berth::guest
