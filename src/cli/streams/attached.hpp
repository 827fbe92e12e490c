// SPDX-License-Identifier: Apache-2.0
// A command in a sandbox with the streams of this process.
#pragma once

#include "interrupts.hpp"

#include <berth/base/log.hpp>
#include <berth/process/executor.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace berth::cli {

struct attached_options {
  time_point deadline = time_point::max();  ///< then the command gets SIGKILL, and the error is `timeout`
  /// After a signal that was passed on the command has so long before SIGKILL; max: for ever, until the next signal.
  duration grace = duration::max();
  std::optional<stdio_options> io = {};  ///< in place of our own streams
  std::string* error_tail = nullptr;     ///< gets what came last on standard error, where that is our own stream
};

/// Runs it to its end, and waits until its output has been taken: with the error `timeout` when it was not by the
/// deadline, but no longer once a signal has come. That output comes by way of pipes of ours (one, where our stdout and
/// stderr are the same, so that the order stays); its input too, but for a pipe or a socket, which it reads itself: a
/// terminal may not be read by the process group that the command is in, and of a file gVisor would read from the beginning.
/// Signals are passed on to the command; the second one kills it. (No default argument: g++ 12 destroys an aggregate that is
/// a temporary of a co_await expression twice.)
boost::asio::awaitable<result<exit_status>> run_attached(executor& where, command what, interrupts& signals,
                                                         attached_options options);

/// Warns where a command ended by SIGKILL and the kernel has killed more often than `killed_before` times at the sandbox's
/// memory limit: 137 alone does not say why.
void tell_of_memory_kill(const sandbox_record& record, std::uint64_t killed_before, const exit_status& ended,
                         const log_sink& sink);

}  // namespace berth::cli
