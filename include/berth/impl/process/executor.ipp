// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/process/run_process.ipp>
#include <berth/process/cancellation.hpp>
#include <berth/process/executor.hpp>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>

namespace berth {

BERTH_DECL std::vector<std::string> merge_environment(std::vector<std::string> base,
                                                      const std::vector<std::string>& over) {
  for (const auto& entry : over) {
    const auto name = entry.substr(0, entry.find('=') + 1);
    const auto same = std::find_if(base.begin(), base.end(),
                                   [&](const std::string& b) { return b.compare(0, name.size(), name) == 0; });
    if (same != base.end() && !name.empty()) *same = entry;
    else base.push_back(entry);
  }
  return base;
}

namespace detail {

class host_command final : public running_command {
 public:
  explicit host_command(process p) : process_(std::move(p)) {}

  boost::asio::awaitable<result<exit_status>> wait(time_point deadline) override { return process_.wait(deadline); }
  boost::asio::awaitable<result<void>> signal(int signo) override { co_return process_.signal(signo); }
  boost::asio::awaitable<result<void>> write(std::string_view data) override { return process_.write(data); }
  void close_stdin() override { process_.close_stdin(); }
  std::string output(output_stream which) const override { return process_.output(which); }
  std::optional<exit_status> status() const override { return process_.status(); }
  pid_t pid() const override { return process_.pid(); }

 private:
  process process_;
};

inline boost::asio::awaitable<result<void>> kill_started(running_command& running) {
  const time_point soon = deadline_after(killing_patience);
  auto killing = until_deadline(running.signal(SIGKILL), soon);
  BERTH_CO_TRY(co_await std::move(killing));
  const auto gone = co_await running.wait(soon);
  if (!gone) co_return gone.error();
  co_return result<void>();
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<command_result>> run_command(executor& where, command what, stdio_options io,
                                                                      time_point deadline) {
  const std::string program = what.argv.empty() ? std::string() : what.argv[0];
  const bool cancelled = co_await was_cancelled();
  if (cancelled) co_return make_error(errc::cancelled, "process", "the command was not started: cancelled");
  // Whatever it takes to start it counts too: an executor may have to ask a sandbox that does not answer.
  auto started = co_await until_deadline(where.start(std::move(what), std::move(io)), deadline);
  if (!started) {
    error e = started.error();
    if (e.code == errc::timeout) {
      e.message = "the command was not started in time";
      e.path = program;
    }
    co_return e;
  }
  running_command& running = **started;
  // A cancellation must not throw: what was started has to be ended first.
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto ended = co_await running.wait(deadline);
  if (!ended && (ended.error().code == errc::timeout || ended.error().code == errc::cancelled)) {
    auto killing = past_cancellation(detail::kill_started(running));
    (void)co_await std::move(killing);
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  if (ended) {
    co_return command_result{*ended, running.output(output_stream::out), running.output(output_stream::err)};
  }
  error e = ended.error();
  if (e.code == errc::timeout) {
    e.message = "the command did not end in time and was killed";
    e.path = program;
    e.detail = detail::last_output(running.output(output_stream::out), running.output(output_stream::err));
  }
  co_return e;  // destroying what was started ends it where the signal did not
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> host_executor::start(command what,
                                                                                                 stdio_options io) {
  if (!what.user.empty()) {
    co_return make_error(errc::unsupported, "process", "commands on the host run as the caller's user", what.user,
                         "leave the user empty");
  }
  auto loop = co_await boost::asio::this_coro::executor;
  spawn_options options;
  options.argv = std::move(what.argv);
  options.env = merge_environment(minimal_environment(), what.env);
  options.cwd = std::move(what.cwd);
  auto started = process::start(std::move(loop), std::move(options), std::move(io));
  if (!started) co_return started.error();
  std::unique_ptr<running_command> running = std::make_unique<detail::host_command>(std::move(*started));
  co_return running;
}

}  // namespace berth
