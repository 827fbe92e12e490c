// SPDX-License-Identifier: Apache-2.0
// A program that uses berth: something from each layer that needs neither root nor runsc.
#include <berth/berth.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

std::string from_the_second_file();

namespace {

void check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  std::exit(1);
}

// base: an error crosses the library's border as a value, and as an exception that can be caught by its type.
void errors() {
  const berth::result<int> failed = berth::make_error(berth::errc::not_found, "consumer", "no such thing", "/nowhere");
  check(failed.error().to_string().find("no such thing") != std::string::npos, "the error's text");
  try {
    (void)failed.value();
    check(false, "value() of a failure");
  } catch (const berth::exception& e) {
    check(e.get().code == berth::errc::not_found, "the exception's code");
  }
}

// spec and docker: a spec is made fit for Docker.
void recipe() {
  auto spec = berth::spec_builder::parse(
      R"({"ociVersion":"1.1.0","process":{"cwd":"/","args":["sh"]},"root":{"path":"rootfs"}})");
  check(spec.has_value(), "parse");
  check(berth::apply_docker(*spec).has_value(), "apply_docker");
  check(spec->to_json().find("CAP_SYS_ADMIN") != std::string::npos, "the capability in the spec");
  const auto twice = berth::spec_builder::parse(R"({"a":1,"a":2})");
  check(!twice && twice.error().code == berth::errc::spec_duplicate_key, "a duplicate key");
}

// runsc, network, docker: pure values.
void values() {
  check(berth::check_container_id("sandbox-1").has_value() && !berth::check_container_id("../x"), "check_container_id");
  const auto pool = berth::parse_ipv4_subnet("10.211.0.0/16");
  check(pool.has_value() && pool->host(2) == "10.211.0.2", "parse_ipv4_subnet");
  const auto plan = berth::plan_docker({});
  check(plan.has_value() && !plan->dockerd_argv.empty(), "plan_docker");
  check(berth::probe_schedule::cheap().pause(0, 0) > berth::duration::zero(), "probe_schedule");
}

// Runs a coroutine to its end on a loop of the program's own.
void on_a_loop(boost::asio::awaitable<void> (*work)()) {
  boost::asio::io_context loop;
  bool ended = false;
  boost::asio::co_spawn(loop, work, [&](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
    ended = true;
  });
  loop.run();
  check(ended, "a coroutine that never ends");
}

berth::result<berth::process> start(boost::asio::any_io_executor executor, const char* script,
                                    berth::stdio_options io = {}) {
  berth::spawn_options options;
  options.argv = {"/bin/sh", "-c", script};
  options.env = berth::minimal_environment();
  return berth::process::start(std::move(executor), std::move(options), std::move(io));
}

// process: a command through an executor.
boost::asio::awaitable<void> one_command() {
  berth::host_executor here;
  berth::command echo;
  echo.argv = {"/bin/echo", "hello"};
  const auto done = co_await berth::run_command(here, echo);
  check(done.has_value() && done->status.success(), "run_command");
  check(done->out == "hello\n", "what the command said");
}

// process: written to, read from by line, waited for.
boost::asio::awaitable<void> conversation() {
  const auto executor = co_await boost::asio::this_coro::executor;
  std::vector<std::string> lines;
  berth::stdio_options io;
  io.in = berth::stdio_options::input::pipe;
  io.on_line = [&lines](berth::output_stream, std::string_view line) { lines.emplace_back(line); };
  auto cat = start(executor, "exec cat", std::move(io));
  check(cat.has_value(), "process::start");
  // More than a pipe holds, so that both sides have to wait.
  const std::string text = "first\n" + std::string(1 << 20, 'x') + "\n";
  const auto written = co_await cat->write(text);
  check(written.has_value(), "write");
  cat->close_stdin();
  const auto ended = co_await cat->wait();
  check(ended.has_value() && ended->success(), "wait");
  std::size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size();
  check(lines.size() > 1 && lines[0] == "first" && bytes == text.size() - 2, "the lines that came back");
}

// process: an event that no operation waits for, here that the child closes its end of the pipe to its stdin. Asio then
// counts its work in what the thread keeps of the loop that it runs, which has to be the same thing in the program, which
// runs the loop, and in the library, which waits for the pipe.
boost::asio::awaitable<void> unawaited_event() {
  const auto executor = co_await boost::asio::this_coro::executor;
  berth::stdio_options io;
  io.in = berth::stdio_options::input::pipe;
  auto deaf = start(executor, "exec 0<&-; echo deaf; exec sleep 0.1", std::move(io));
  check(deaf.has_value(), "process::start");
  const auto ended = co_await deaf->wait();
  check(ended.has_value() && ended->success() && deaf->output(berth::output_stream::out) == "deaf\n", "a deaf child");
}

// process: a wait is cancelled by a timer of the program's; the process goes on, and is stopped.
boost::asio::awaitable<void> cancelled_wait() {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto sleeper = start(executor, "exec sleep 1000");
  check(sleeper.has_value(), "process::start");
  boost::asio::cancellation_signal stop;
  boost::asio::steady_timer timer(executor);
  timer.expires_after(std::chrono::milliseconds(20));
  timer.async_wait([&stop](boost::system::error_code) { stop.emit(boost::asio::cancellation_type::terminal); });
  auto waiting = boost::asio::co_spawn(executor, berth::cancellation_as_error(sleeper->wait()),
                                       boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::use_awaitable));
  const auto waited = co_await std::move(waiting);
  check(!waited && waited.error().code == berth::errc::cancelled, "a cancelled wait");
  check(!sleeper->status(), "the process after the cancelled wait");
  const auto stopped = co_await sleeper->stop(std::chrono::seconds(10));
  check(stopped.has_value() && !stopped->success(), "stop");
}

// process: a deadline, which the library keeps with a timer of its own on the program's loop.
boost::asio::awaitable<void> deadline() {
  berth::spawn_options sleep;
  sleep.argv = {"/bin/sleep", "1000"};
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  berth::stdio_options io;
  const auto late = co_await berth::run_process(std::move(sleep), std::move(io), soon);
  check(!late && late.error().code == berth::errc::timeout, "a deadline");
}

}  // namespace

int main() {
  errors();
  recipe();
  values();
  for (const auto work : {one_command, conversation, unawaited_event, cancelled_wait, deadline}) on_a_loop(work);
  check(from_the_second_file() == "spec_type", "the second file");
  std::printf("berth %s works here\n", BERTH_VERSION_STRING);
  return 0;
}
