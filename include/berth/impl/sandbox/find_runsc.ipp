// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/process.hpp>
#include <berth/process/run_blocking.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/runsc/probe.hpp>
#include <berth/sandbox/detail/obstacle.hpp>
#include <berth/sandbox/find_runsc.hpp>

namespace berth {

namespace detail {

inline boost::asio::awaitable<result<std::string>> ask_runsc(std::vector<std::string> argv, time_point deadline) {
  spawn_options options;
  const std::string program = argv.front();
  options.argv = std::move(argv);
  options.env = minimal_environment();
  stdio_options io;
  io.capture_limit = 1u << 20;
  auto done = co_await run_process(std::move(options), std::move(io), deadline);
  if (!done) co_return std::move(done).error();
  std::string said = std::move(done->out) + done->err;  // `runsc flags` writes to stderr
  if (done->status.success()) co_return said;
  const std::string words = said.substr(0, said.find('\n'));
  std::string message = "runsc failed with " + done->status.to_string();
  if (!words.empty()) append_shown(message += ": ", words);
  error e = make_error(errc::runsc_failed, "sandbox", std::move(message), program, find_obstacle("/"));
  e.detail = said.substr(0, 4096);
  co_return e;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<runsc_binary>> find_sandbox_runsc(environment where, time_point deadline) {
  auto asking = runsc_probe::begin(where.runsc, where.root + "/.cache");
  if (!asking) co_return std::move(asking).error();
  while (auto argv = asking->next()) {
    auto answer = co_await detail::ask_runsc(std::move(*argv), deadline);
    BERTH_CO_TRY(asking->answer(std::move(answer)));
  }
  co_return asking->finish();
}

BERTH_DECL result<runsc_binary> find_sandbox_runsc_blocking(const environment& where) {
  const time_point deadline = deadline_after(seconds(30));
  const runsc_runner run = [deadline](const std::vector<std::string>& argv) { return run_blocking(argv, deadline); };
  return probe_runsc(where.runsc, run, where.root + "/.cache");
}

}  // namespace berth
