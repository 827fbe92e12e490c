// SPDX-License-Identifier: Apache-2.0
// Brings a command's output from a pipe of ours to a stream of ours.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace berth::cli {

/// Whether two descriptors lead to the same file, pipe or terminal.
bool same_stream(int a, int b);

/// Why our own stdout and stderr are not simply handed to the sandbox: gVisor makes the terminal or pipe non-blocking,
/// for everybody who shares it, and writes to a file from its beginning, over what stands there. For the same reason
/// they are written by a thread, which may block: a reader that takes nothing (a pager, a terminal after Ctrl-S) holds
/// up the command, as it would without us, but neither signals nor deadlines.
class output_pump {
 public:
  /// `target` is borrowed. `loop` has one thread.
  static result<output_pump> open(boost::asio::any_io_executor loop, int target);

  /// The same by a terminal of our own of the target's size, for a program that shows more on one. `target` is a terminal.
  static result<output_pump> open_terminal(boost::asio::any_io_executor loop, int target);

  int write_end() const;   ///< for the command
  void close_write_end();  ///< once the command has it

  /// Once the command has ended: waits for what it had written to be taken, until `limit` but for `patience` at least,
  /// and for the end of the pipe for `patience` only, since others may hold it open behind the command's back. Errors:
  /// timeout when it was not all taken; whatever the stream refused it with, but for a reader that went away.
  boost::asio::awaitable<result<void>> finish(duration patience, time_point limit);

  /// The last 64 KiB that came.
  std::string tail() const;

  /// From now on `finish` has no more than its patience.
  void hurry();

 private:
  struct state;
  explicit output_pump(std::shared_ptr<state> s) : state_(std::move(s)) {}
  static result<output_pump> start(boost::asio::any_io_executor loop, int target, unique_fd read_end,
                                   unique_fd write_end);
  std::shared_ptr<state> state_;
};

}  // namespace berth::cli
