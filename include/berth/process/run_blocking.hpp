// SPDX-License-Identifier: Apache-2.0
// A program run to its end on the calling thread.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>

#include <string>
#include <vector>

namespace berth {

/// Runs a program with an environment of PATH alone and nothing on stdin, and gives what it wrote on stdout and stderr (at
/// most 1 MiB). Blocks the calling thread: for programs without a loop. At the deadline it is killed.
/// Errors: process_exited when it failed (its words are the detail), timeout, and spawn's.
BERTH_DECL result<std::string> run_blocking(const std::vector<std::string>& argv, time_point deadline);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/run_blocking.ipp>
#endif
