#include "attached.hpp"

#include "output.hpp"
#include "stdin_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <csignal>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

// What the signal handler, the reader of the terminal and the waiting coroutine share.
struct attached_state {
  std::shared_ptr<running_command> running;
  int signals = 0;
  std::unique_ptr<asio::steady_timer> kill_timer;
};

// Named coroutines in place of lambdas: their arguments live in the frame.
asio::awaitable<void> send_signal(std::shared_ptr<running_command> running, int signo) {
  (void)co_await running->signal(signo);  // it may have ended by itself meanwhile
}

asio::awaitable<void> send_input(std::shared_ptr<running_command> running, std::string data,
                                 std::function<void()> written) {
  if (data.empty()) {
    running->close_stdin();
  } else {
    (void)co_await running->write(data);
  }
  written();
}

void pass_signal(asio::any_io_executor loop, const std::shared_ptr<attached_state>& state, int signo, duration grace) {
  const bool kill = ++state->signals > 1;
  asio::co_spawn(loop, send_signal(state->running, kill ? SIGKILL : signo), asio::detached);
  if (kill || grace == duration::max()) return;
  state->kill_timer = std::make_unique<asio::steady_timer>(loop, grace);
  state->kill_timer->async_wait([loop, running = state->running](const boost::system::error_code& ec) {
    if (!ec) asio::co_spawn(loop, send_signal(running, SIGKILL), asio::detached);
  });
}

void write_to(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

stdio_options own_streams(bool terminal_in) {
  stdio_options io;
  io.capture_limit = 1;
  io.in = terminal_in ? stdio_options::input::pipe : stdio_options::input::fd;
  io.in_fd = STDIN_FILENO;
  const auto choose = [](int fd) {
    return ::isatty(fd) == 1 ? stdio_options::output::capture : stdio_options::output::fd;
  };
  io.out = choose(STDOUT_FILENO);
  io.out_fd = STDOUT_FILENO;
  io.err = choose(STDERR_FILENO);
  io.err_fd = STDERR_FILENO;
  io.on_data = [](output_stream which, std::string_view data) {
    write_to(which == output_stream::out ? STDOUT_FILENO : STDERR_FILENO, data);
  };
  return io;
}

}  // namespace

asio::awaitable<result<exit_status>> run_attached(executor& where, command what, interrupts& signals,
                                                  attached_options options) {
  const auto loop = co_await asio::this_coro::executor;
  const bool terminal_in = !options.io && ::isatty(STDIN_FILENO) == 1;
  stdio_options io = options.io ? std::move(*options.io) : own_streams(terminal_in);
  auto started = co_await where.start(std::move(what), std::move(io));
  if (!started) co_return std::move(started).error();
  const auto state = std::make_shared<attached_state>();
  state->running = std::move(*started);
  signals.handle([loop, state, grace = options.grace](int signo) { pass_signal(loop, state, signo, grace); });

  std::unique_ptr<stdin_reader> reader;
  if (terminal_in) {
    reader = std::make_unique<stdin_reader>(loop, [loop, state](std::string data, std::function<void()> written) {
      asio::co_spawn(loop, send_input(state->running, std::move(data), std::move(written)), asio::detached);
    });
  }
  auto ended = co_await state->running->wait(options.deadline);
  if (!ended && ended.error().code == errc::timeout) {
    (void)co_await state->running->signal(SIGKILL);
    const time_point patience = deadline_after(seconds(5));
    (void)co_await state->running->wait(patience);
  }
  signals.handle(nullptr);
  state->kill_timer.reset();
  reader.reset();
  co_return ended;
}

}  // namespace berth::cli
