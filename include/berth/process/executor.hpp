// SPDX-License-Identifier: Apache-2.0
// Running a command somewhere: on this host, in a sandbox of berth's, or in one that the caller owns.
#pragma once

#include <berth/process/process.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <vector>

namespace berth {

/// A command as seen from inside the place where it runs.
struct command {
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< "K=V", added to (and winning over) what the place gives by itself
  std::string cwd;               ///< empty: the place's default
  std::string user;              ///< "uid[:gid]" or a name where the place can resolve one; empty: the default
};

/// A command that was started by an executor. Used from the loop's thread only. Destroying one that still runs ends it.
class running_command {
 public:
  virtual ~running_command() = default;
  /// As process::wait.
  virtual boost::asio::awaitable<result<exit_status>> wait(time_point deadline = time_point::max()) = 0;
  /// Delivered to the command itself, not only to whatever runs it on the host.
  virtual boost::asio::awaitable<result<void>> signal(int signo) = 0;
  virtual boost::asio::awaitable<result<void>> write(std::string_view data) = 0;  ///< to its stdin (input::pipe)
  virtual void close_stdin() = 0;
  virtual std::string output(output_stream which) const = 0;  ///< as process::output
  virtual std::optional<exit_status> status() const = 0;
  /// The pid in its own pid namespace, or 0 when not known (yet).
  virtual pid_t pid() const = 0;
};

/// Where commands run. An embedder implements this for a sandbox that berth does not own. What waits here and in
/// running_command has to heed its caller's cancellation (errc::cancelled): that is how deadlines are kept.
class executor {
 public:
  virtual ~executor() = default;
  virtual boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what, stdio_options io) = 0;
};

/// How long is waited for a command to end that is killed at its deadline: a sandbox that does not answer must not keep its
/// caller any longer. What has not ended then is ended in the background.
inline constexpr milliseconds killing_patience{800};

/// `base` with the "K=V" entries of `over` put in, each in the place of an entry of the same name.
BERTH_DECL std::vector<std::string> merge_environment(std::vector<std::string> base,
                                                      const std::vector<std::string>& over);

/// Starts, waits and collects through an executor; past the deadline, which counts from the call, the command gets
/// SIGKILL and the error is `timeout`.
BERTH_DECL boost::asio::awaitable<result<command_result>> run_command(executor& where, command what, stdio_options io,
                                                                      time_point deadline = time_point::max());

/// The same with both streams captured.
inline boost::asio::awaitable<result<command_result>> run_command(executor& where, command what) {
  return run_command(where, std::move(what), stdio_options());
}

/// Commands as plain processes of this host, with `minimal_environment()` beneath their own. `user` must be empty.
class host_executor final : public executor {
 public:
  BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what,
                                                                                    stdio_options io) override;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/executor.ipp>
#endif
