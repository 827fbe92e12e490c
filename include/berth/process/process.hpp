// A child process on an Asio loop: output by line, wait and signal by pidfd.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
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

namespace berth {

enum class output_stream { out = 1, err = 2 };

/// Receives output as it comes, in pieces as read (`on_data`) or by line without its newline (`on_line`; a line longer
/// than 64 KiB comes in pieces; an unfinished last line comes at the end). Called on the loop's thread.
using data_handler = std::function<void(output_stream, std::string_view)>;

/// What becomes of a child's standard streams.
struct stdio_options {
  enum class input { null, pipe, text, fd };
  enum class output { null, capture, fd };
  input in = input::null;
  std::string in_text;             ///< for input::text: written, then closed
  int in_fd = -1;                  ///< for input::fd: borrowed
  output out = output::capture;
  output err = output::capture;
  int out_fd = -1;                 ///< for output::fd: borrowed
  int err_fd = -1;
  std::size_t capture_limit = 256 * 1024;  ///< bytes kept of each captured stream: the last ones
  data_handler on_data;            ///< besides capturing
  data_handler on_line;            ///< besides capturing
};

/// A running or ended child. Movable, not copyable; used from the loop's thread only. The destructor of a process that
/// still runs kills its group with SIGKILL and hands the reaping to the loop, without blocking; `detach` prevents that.
class process {
 public:
  /// Spawns. The executor must be of an io_context that one thread runs.
  BERTH_DECL static result<process> start(boost::asio::any_io_executor executor, spawn_options options,
                                          stdio_options io = {});

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
  /// To the process group (needs new_group or new_session); members that outlive the leader are reached too.
  BERTH_DECL result<void> signal_group(int signo);

  /// SIGTERM to the group, SIGKILL after `grace`, then reaps.
  BERTH_DECL boost::asio::awaitable<result<exit_status>> stop(duration grace);

  /// Writes to a piped stdin, all of it. closed when the child no longer reads.
  BERTH_DECL boost::asio::awaitable<result<void>> write(std::string_view data);
  BERTH_DECL void close_stdin();

  /// The last bytes of a captured stream (capture_limit), and how many were dropped before them.
  BERTH_DECL std::string output(output_stream which) const;
  BERTH_DECL std::size_t dropped(output_stream which) const;

  /// Lets the child run on without us; it is not reaped by berth any more.
  BERTH_DECL void detach();

 private:
  struct state;
  explicit process(std::shared_ptr<state> s) noexcept;
  std::shared_ptr<state> state_;
};

/// What a finished command left.
struct command_result {
  exit_status status;
  std::string out;
  std::string err;
};

/// Starts, waits and collects; past the deadline the group is killed and the error is `timeout`. A non-zero exit is no
/// error here. Cancelling kills the group as well.
BERTH_DECL boost::asio::awaitable<result<command_result>> run_process(spawn_options options, stdio_options io = {},
                                                                      time_point deadline = time_point::max());

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/process.ipp>
#endif
