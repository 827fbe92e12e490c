// SPDX-License-Identifier: Apache-2.0
#include "streams/terminal.hpp"

#include <boost/asio/this_coro.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

guest_terminal_size own_size() {
  struct winsize size {};
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 && size.ws_col != 0) {
      return {size.ws_row, size.ws_col};
    }
  }
  return {24, 80};
}

/// The command, shared with whoever tells it of our terminal's size.
class shared_command final : public running_command {
 public:
  explicit shared_command(std::shared_ptr<guest_command> inside) : inside_(std::move(inside)) {}
  asio::awaitable<result<exit_status>> wait(time_point deadline) override { return inside_->wait(deadline); }
  asio::awaitable<result<void>> signal(int signo) override { return inside_->signal(signo); }
  asio::awaitable<result<void>> write(std::string_view data) override { return inside_->write(data); }
  void close_stdin() override { inside_->close_stdin(); }
  std::string output(output_stream which) const override { return inside_->output(which); }
  std::optional<exit_status> status() const override { return inside_->status(); }
  pid_t pid() const override { return inside_->pid(); }

 private:
  std::shared_ptr<guest_command> inside_;
};

}  // namespace

raw_terminal::raw_terminal() {
  termios now{};
  if (::tcgetattr(STDIN_FILENO, &now) != 0) return;
  before_ = now;
  ::cfmakeraw(&now);
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

raw_terminal::~raw_terminal() {
  if (before_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

asio::awaitable<result<std::unique_ptr<running_command>>> terminal_executor::start(command what, stdio_options io) {
  const auto names_term = [](const std::string& variable) { return variable.starts_with("TERM="); };
  const char* term = std::getenv("TERM");
  if (term != nullptr && *term != '\0' && std::none_of(what.env.begin(), what.env.end(), names_term)) {
    what.env.push_back(std::string("TERM=") + term);
  }
  // Watched before the size is read: what changes in between is told as well.
  const auto loop = co_await asio::this_coro::executor;
  resized_ = std::make_unique<asio::signal_set>(loop, SIGWINCH);
  auto starting = box_->start_terminal(std::move(what), std::move(io), own_size());
  auto started = co_await std::move(starting);
  if (!started) co_return std::move(started).error();
  std::shared_ptr<guest_command> inside = std::move(*started);
  follow_size(inside);
  std::unique_ptr<running_command> running = std::make_unique<shared_command>(std::move(inside));
  co_return running;
}

void terminal_executor::follow_size(std::weak_ptr<guest_command> command) {
  resized_->async_wait([this, command = std::move(command)](const boost::system::error_code& failed, int) {
    const auto running = command.lock();
    if (failed || !running) return;
    running->resize(own_size());
    follow_size(command);
  });
}

}  // namespace berth::cli
