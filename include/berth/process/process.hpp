// SPDX-License-Identifier: Apache-2.0
// A child process on an Asio loop: output by line, wait and signal by pidfd.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/process/child.hpp>
#include <berth/process/exit_status.hpp>
#include <berth/process/spawn.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

enum class output_stream { out = 1, err = 2 };

/// Receives output as it comes, in pieces as read (`on_data`) or by line without its newline (`on_line`; a line longer
/// than 64 KiB comes in pieces; an unfinished last line comes at the end). Called on the loop's thread; may destroy the
/// process, must not throw.
using data_handler = std::function<void(output_stream, std::string_view)>;

/// What becomes of a child's standard streams.
struct stdio_options {
  enum class input { null, pipe, text, fd };
  enum class output { null, capture, fd };
  input in = input::null;
  std::string in_text;  ///< for input::text: written, then closed
  int in_fd = -1;       ///< for input::fd: borrowed
  output out = output::capture;
  output err = output::capture;
  int out_fd = -1;  ///< for output::fd: borrowed
  int err_fd = -1;
  std::size_t capture_limit = 256 * 1024;  ///< bytes kept of each captured stream: the last ones
  data_handler on_data;                    ///< besides capturing
  data_handler on_line;                    ///< besides capturing
};

/// A running or ended child. Movable, not copyable; used from the loop's thread only. The destructor of a process that
/// still runs kills its group with SIGKILL and hands the reaping to the loop, without blocking; `detach` prevents that.
/// (Only when the loop itself is destroyed before the killed child is gone, up to 1 s is spent on reaping it.)
/// An operation that is under way when the process object is destroyed ends with errc::closed. A moved-from process
/// only takes a new value; its operations say errc::state.
class process {
 public:
  /// Spawns. The executor must be of an io_context that one thread runs.
  BERTH_DECL static result<process> start(boost::asio::any_io_executor executor, spawn_options options,
                                          stdio_options io = {});

  /// Takes a child of this program that somebody else started, and that nobody else reaps from now on. It is waited for
  /// and signalled by its pidfd, alone, whatever group it leads; its streams are not ours. On an error it is still the caller's.
  BERTH_DECL static result<process> adopt(boost::asio::any_io_executor executor, child&& started);

  BERTH_DECL process(process&&) noexcept;
  BERTH_DECL process& operator=(process&&) noexcept;
  BERTH_DECL ~process();

  BERTH_DECL pid_t pid() const noexcept;
  BERTH_DECL std::optional<exit_status> status() const noexcept;  ///< once it has ended and been reaped

  /// Waits until the process has ended and its captured output is read to the end (at most 1 s more, since a
  /// grandchild may hold the pipe open). May be awaited by several at once and again after the end. Errors: cancelled,
  /// timeout at `deadline` (the process goes on).
  BERTH_DECL boost::asio::awaitable<result<exit_status>> wait(time_point deadline = time_point::max());

  /// By pidfd, so never to a stranger. Ended already: errc::state.
  BERTH_DECL result<void> signal(int signo);
  /// To the process group (needs new_group or new_session, else errc::invalid); members that outlive the leader are
  /// reached too. Nobody left: errc::state. From Linux 6.9 the group is addressed through the pidfd. Before that it is
  /// by number, and so that the number cannot come to mean a stranger, an ended leader of a group is left a zombie
  /// until this object is destroyed.
  BERTH_DECL result<void> signal_group(int signo);

  /// SIGTERM to the group (to the process alone where it leads none); what is left of it after `grace`, or once the
  /// leader has ended and the others had the rest of `grace` (at most 1 s), gets SIGKILL. Ends as `wait` does.
  /// Cancelling it sends SIGKILL at once, and it still reaps. errc::timeout where SIGKILL did not end it within 10 s (it hangs
  /// in the kernel, or may not be signalled): the loop reaps it when it ends.
  BERTH_DECL boost::asio::awaitable<result<exit_status>> stop(duration grace);

  /// Writes to a piped stdin, all of it; `data` must stay until then. closed when the child no longer reads; state when
  /// stdin is no pipe or another write is under way. Never raises SIGPIPE.
  BERTH_DECL boost::asio::awaitable<result<void>> write(std::string_view data);
  BERTH_DECL void close_stdin();

  /// The last bytes of a captured stream (capture_limit), and how many were dropped before them.
  BERTH_DECL std::string output(output_stream which) const;
  BERTH_DECL std::size_t dropped(output_stream which) const;

  /// Gives the child away, with its pidfd: it is the caller's to reap. Our ends of its pipes are closed. errc::state, and
  /// nothing is given, when it has ended and been reaped.
  BERTH_DECL result<child> release();
  /// Lets the child run on without us; it is not reaped by berth any more. Our ends of its pipes are closed.
  BERTH_DECL void detach();

 private:
  struct state;
  explicit process(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}
  std::shared_ptr<state> state_;
};

/// What a finished command left.
struct command_result {
  exit_status status;
  std::string out;
  std::string err;
};

/// Starts, waits and collects; past the deadline the group is killed and the error is `timeout`. A non-zero exit is no
/// error here. Cancelling kills the group as well. On timeout the error's detail holds the last lines of its output.
BERTH_DECL boost::asio::awaitable<result<command_result>> run_process(spawn_options options, stdio_options io,
                                                                      time_point deadline = time_point::max());

/// The same with both streams captured. (No default argument: g++ 12 destroys an aggregate that is a temporary of a
/// co_await expression twice. For the same reason bind arguments to named variables first.)
inline boost::asio::awaitable<result<command_result>> run_process(spawn_options options) {
  return run_process(std::move(options), stdio_options());
}

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/process.ipp>
#include <berth/impl/process/run_process.ipp>
#endif
