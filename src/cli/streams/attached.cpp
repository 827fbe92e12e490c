// SPDX-License-Identifier: Apache-2.0
#include "streams/attached.hpp"

#include "streams/output_pump.hpp"
#include "streams/stdin_reader.hpp"

#include <berth/process/cancellation.hpp>
#include <berth/sandbox/exit_reason.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

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

// Until it has ended and its output has been handed to us; after a signal until it has ended: what nobody takes of its output
// must not hold up whoever wants no more of it.
asio::awaitable<result<exit_status>> wait_for_end(std::shared_ptr<attached_state> state, interrupts& signals,
                                                  time_point deadline) {
  for (;;) {
    const time_point look = std::min(deadline, deadline_after(seconds(1)));
    auto ended = co_await state->running->wait(look);
    if (ended || ended.error().code != errc::timeout || clock::now() >= deadline) co_return ended;
    if (const auto status = state->running->status(); status && signals.first() != 0) co_return *status;
  }
}

// Our streams as the command's.
struct own_streams {
  stdio_options io;
  bool read_by_us = false;
  int stdin_flags = -1;  ///< of a pipe that the command reads itself: gVisor makes it non-blocking, for others too
  std::vector<output_pump> pumps;
};

result<own_streams> take_own_streams(asio::any_io_executor loop) {
  own_streams out;
  struct stat in;
  if (::fstat(STDIN_FILENO, &in) == 0 && (S_ISFIFO(in.st_mode) || S_ISSOCK(in.st_mode))) {
    out.io.in = stdio_options::input::fd;
    out.io.in_fd = STDIN_FILENO;
    out.stdin_flags = ::fcntl(STDIN_FILENO, F_GETFL);
  } else {
    out.io.in = stdio_options::input::pipe;
    out.read_by_us = true;
  }
  auto stdout_pump = output_pump::open(loop, STDOUT_FILENO);
  if (!stdout_pump) return std::move(stdout_pump).error();
  out.pumps.push_back(std::move(*stdout_pump));
  if (!same_stream(STDOUT_FILENO, STDERR_FILENO)) {
    auto stderr_pump = output_pump::open(loop, STDERR_FILENO);
    if (!stderr_pump) return std::move(stderr_pump).error();
    out.pumps.push_back(std::move(*stderr_pump));
  }
  out.io.out = out.io.err = stdio_options::output::fd;
  out.io.out_fd = out.pumps.front().write_end();
  out.io.err_fd = out.pumps.back().write_end();
  return out;
}

}  // namespace

asio::awaitable<result<exit_status>> run_attached(executor& where, command what, interrupts& signals,
                                                  attached_options options) {
  const auto loop = co_await asio::this_coro::executor;
  own_streams own;
  if (options.io) {
    own.io = std::move(*options.io);
  } else {
    auto taken = take_own_streams(loop);
    if (!taken) co_return std::move(taken).error();
    own = std::move(*taken);
  }
  auto starting = where.start(std::move(what), std::move(own.io));
  auto started = co_await until_deadline(std::move(starting), options.deadline);
  for (output_pump& pump : own.pumps) pump.close_write_end();
  if (!started) co_return std::move(started).error();
  const auto state = std::make_shared<attached_state>();
  state->running = std::move(*started);
  signals.handle([loop, state, grace = options.grace](int signo) { pass_signal(loop, state, signo, grace); });

  std::unique_ptr<stdin_reader> reader;
  if (own.read_by_us) {
    reader = std::make_unique<stdin_reader>(loop, [loop, state](std::string data, std::function<void()> written) {
      asio::co_spawn(loop, send_input(state->running, std::move(data), std::move(written)), asio::detached);
    });
  }
  auto waiting = wait_for_end(state, signals, options.deadline);
  auto ended = co_await std::move(waiting);
  const bool late = !ended && ended.error().code == errc::timeout;
  const time_point patience_ends = late ? deadline_after(killing_patience) : time_point::max();
  if (late) {
    auto killing = state->running->signal(SIGKILL);
    (void)co_await until_deadline(std::move(killing), patience_ends);
    (void)co_await state->running->wait(patience_ends);
  }
  state->kill_timer.reset();
  reader.reset();
  if (own.stdin_flags >= 0) ::fcntl(STDIN_FILENO, F_SETFL, own.stdin_flags);
  // What it has written may still have to be read, by a pager for one. Whoever ends us does not wait for that.
  int interrupted_by = 0;
  signals.handle([&](int signo) {
    interrupted_by = signo;
    for (output_pump& pump : own.pumps) pump.hurry();
  });
  const time_point limit = signals.first() != 0 ? time_point::min() : options.deadline;
  for (output_pump& pump : own.pumps) {
    const duration left = late ? patience_ends - clock::now() : duration(seconds(1));
    const duration patience = std::clamp<duration>(left, milliseconds(50), seconds(1));
    auto written = co_await pump.finish(patience, limit);
    if (written || !ended || !ended->success()) continue;
    // Output that is lost, on a full disk for one, must not look like success.
    if (written.error().code == errc::timeout && interrupted_by != 0) ended = exit_status{0, interrupted_by};
    else ended = std::move(written).error();
  }
  signals.handle(nullptr);
  if (options.error_tail != nullptr && !own.pumps.empty()) *options.error_tail = own.pumps.back().tail();
  co_return ended;
}

void tell_of_memory_kill(const sandbox_record& record, std::uint64_t killed_before, const exit_status& ended,
                         const log_sink& sink) {
  if (ended.shell_code() != 128 + SIGKILL || count_memory_kills(record) <= killed_before) return;
  log(sink, log_level::warn, "the command was killed at the sandbox's memory limit",
      {{"limit", std::to_string(record.memory_bytes >> 20) + " MiB"}, {"remedy", "give the sandbox more by --memory"}});
}

}  // namespace berth::cli
