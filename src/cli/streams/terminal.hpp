// SPDX-License-Identifier: Apache-2.0
// A command in a sandbox on a terminal of its own there, with our terminal as its window.
#pragma once

#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/signal_set.hpp>

#include <termios.h>

#include <memory>
#include <optional>

namespace berth::cli {

/// Our terminal in raw mode for as long as this lives: keys go to the program inside as they are typed, Ctrl-C among them.
/// Where standard input is no terminal nothing happens.
class raw_terminal {
 public:
  raw_terminal();
  ~raw_terminal();
  raw_terminal(const raw_terminal&) = delete;
  raw_terminal& operator=(const raw_terminal&) = delete;

 private:
  std::optional<termios> before_;
};

/// An executor whose commands get a terminal inside, of our terminal's size at any time and with our $TERM. Outlives them.
class terminal_executor final : public executor {
 public:
  explicit terminal_executor(std::shared_ptr<sandbox> box) : box_(std::move(box)) {}

  /// As sandbox::start_terminal.
  boost::asio::awaitable<result<std::unique_ptr<running_command>>> start(command what, stdio_options io) override;

 private:
  void follow_size(std::weak_ptr<guest_command> command);

  std::shared_ptr<sandbox> box_;
  std::unique_ptr<boost::asio::signal_set> resized_;
};

}  // namespace berth::cli
