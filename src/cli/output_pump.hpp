// Brings a command's output from a pipe of ours to a stream of ours.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace berth::cli {

/// Why our own stdout and stderr are not simply handed to the sandbox: gVisor makes the terminal or pipe non-blocking,
/// for everybody who shares it, and writes to a file from its beginning, over what stands there.
class output_pump {
 public:
  /// `target` is borrowed. On the loop of one thread.
  static result<output_pump> open(boost::asio::any_io_executor loop, int target);

  int write_end() const;       ///< for the command
  void close_write_end();      ///< once the command has it

  /// Waits until all has been written: the end of the pipe, or `patience` for those who hold it open behind the
  /// command's back. An error when the stream took no more, for another reason than a reader that went away.
  boost::asio::awaitable<result<void>> finish(duration patience);

 private:
  struct state;
  explicit output_pump(std::shared_ptr<state> s) : state_(std::move(s)) {}
  static void next(const std::shared_ptr<state>& s);
  std::shared_ptr<state> state_;
};

}  // namespace berth::cli
