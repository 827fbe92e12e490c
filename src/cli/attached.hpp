// A command in a sandbox with the streams of this process.
#pragma once

#include "interrupts.hpp"

#include <berth/process/executor.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace berth::cli {

struct attached_options {
  time_point deadline = time_point::max();  ///< then the command gets SIGKILL, and the error is `timeout`
  /// After a signal that was passed on the command has so long before SIGKILL; max: for ever, until the next signal.
  duration grace = duration::max();
  std::optional<stdio_options> io = {};     ///< in place of our own streams
};

/// Runs it to its end. Pipes and files are handed through as they are; a terminal is read and written by us, since the
/// command runs in a process group of its own, which may not read it, and gVisor would make it non-blocking for the shell
/// too. Signals are passed on to the command; the second one kills it.
boost::asio::awaitable<result<exit_status>> run_attached(executor& where, command what, interrupts& signals,
                                                         attached_options options = {});

}  // namespace berth::cli
