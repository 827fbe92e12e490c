// SPDX-License-Identifier: Apache-2.0
#include "docker/docker_client.hpp"

#include "interrupts.hpp"
#include "options/options.hpp"
#include "streams/output_pump.hpp"

#include <berth/docker/client.hpp>

#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace berth::cli {
namespace {

// Whether what is typed at the terminal reaches our process group, and so the client.
bool in_the_foreground() {
  const unique_fd terminal(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return terminal && ::tcgetpgrp(terminal.get()) == ::getpgrp();
}

}  // namespace

std::vector<std::string> client_environment(const std::string& socket) {
  std::vector<std::string> out{"DOCKER_HOST=" + docker_host_value(socket)};
  for (std::string& variable : own_environment()) {
    // These would send the client elsewhere, or make it speak TLS to a unix socket.
    bool elsewhere = false;
    for (const std::string_view name :
         {"DOCKER_HOST=", "DOCKER_CONTEXT=", "DOCKER_TLS=", "DOCKER_TLS_VERIFY=", "DOCKER_CERT_PATH="})
      elsewhere = elsewhere || variable.starts_with(name);
    if (!elsewhere) out.push_back(std::move(variable));
  }
  return out;
}

boost::asio::awaitable<result<client_end>> run_client(std::string program, std::vector<std::string> words,
                                                      std::string socket) {
  const auto loop = co_await boost::asio::this_coro::executor;
  interrupts signals(loop);
  auto errors = ::isatty(STDERR_FILENO) == 1 ? output_pump::open_terminal(loop, STDERR_FILENO)
                                             : output_pump::open(loop, STDERR_FILENO);
  if (!errors) co_return std::move(errors).error();
  spawn_options options;
  options.argv = {std::move(program)};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.env = client_environment(socket);
  options.new_group = false;
  options.parent_death_signal = SIGTERM;
  stdio_options io;
  io.in = stdio_options::input::fd;
  io.in_fd = STDIN_FILENO;
  io.out = io.err = stdio_options::output::fd;
  io.err_fd = errors->write_end();
  // One way for both where they are one stream, so that the order stays. On a terminal the client asks stdout for its size.
  io.out_fd = ::isatty(STDOUT_FILENO) != 1 && same_stream(STDOUT_FILENO, STDERR_FILENO) ? io.err_fd : STDOUT_FILENO;
  auto started = process::start(loop, std::move(options), std::move(io));
  errors->close_write_end();
  if (!started) co_return std::move(started).error();
  process client = std::move(*started);
  signals.handle([&client](int signo) {
    if (signo == SIGINT && in_the_foreground()) return;
    (void)client.signal(signo);
  });
  auto ended = co_await client.wait();
  signals.handle(nullptr);
  if (!ended) co_return std::move(ended).error();
  const time_point limit = signals.first() != 0 ? time_point::min() : time_point::max();
  const duration patience = seconds(1);
  const auto written = co_await errors->finish(patience, limit);
  if (!written && ended->success()) co_return written.error();
  client_end out;
  out.status = *ended;
  out.error_tail = errors->tail();
  co_return out;
}

}  // namespace berth::cli
