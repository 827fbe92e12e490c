// SPDX-License-Identifier: Apache-2.0
// Commands through the guest of a sandbox: by its socket, without a process on the host.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>
#include <berth/process/executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace berth {

/// A command that the guest runs. As every running_command; besides, the size of its terminal can be changed.
class guest_command : public running_command {
 public:
  /// Nothing happens where it has no terminal, or has ended.
  virtual void resize(guest_terminal_size size) = 0;
};

/// What became of an attempt to start a command.
struct guest_attempt {
  std::unique_ptr<guest_command> running;  ///< or `failed` says why there is none
  error failed;
  /// The guest was told of the command, and may have run it. Where it was not, another way is open.
  bool asked = false;
};

/// Where a guest listens (`berth-init --socket PATH`) on `socket_path`, a socket that the host sees, in the shared directory of
/// a sandbox: hostile ground, and treated as such. Used from the loop's thread only. Each command has a connection of its own;
/// ending the connection, also by the end of this process, ends the command.
class guest_executor final : public executor {
 public:
  explicit guest_executor(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  /// The same by connections that `connect` gives, each fresh and non-blocking.
  explicit guest_executor(std::function<result<unique_fd>()> connect) : connect_(std::move(connect)) {}

  /// executor. `command::user` is docker's --user, looked up inside. Its status is its own; 127 where there is no such program,
  /// 126 where it cannot be executed or its cwd is absent, with the reason on stderr, and then `pid` stays 0. Returns once the
  /// command runs, within `patience` and `start_patience` at most. Errors: not_found and again where nobody listens; hostile;
  /// unsupported (a guest of another version); timeout; too_big (argv and environment of more than 4 MiB); io. `wait` gives
  /// sandbox_not_running where the guest went away meanwhile.
  BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what,
                                                                                    stdio_options io) override;

  /// The same with a terminal: its output is one stream, `out`; io.err has no meaning.
  BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<guest_command>>> start_terminal(command what,
                                                                                           stdio_options io,
                                                                                           guest_terminal_size size);

  /// Both of the above, for those who have another way to run the command (`runsc exec`) where no guest answers. Errors: as
  /// start.
  BERTH_DECL boost::asio::awaitable<guest_attempt> attempt(command what, stdio_options io,
                                                           std::optional<guest_terminal_size> terminal = {});

  const std::string& socket_path() const noexcept { return socket_path_; }  ///< empty with connections of the caller's

  duration patience = seconds(10);        ///< for connecting and the greeting
  duration start_patience = seconds(60);  ///< for the start of a command, after those that came before

 private:
  std::string socket_path_;
  std::function<result<unique_fd>()> connect_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/executor.ipp>
#endif
