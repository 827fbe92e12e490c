// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/detail/obstacle.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>

namespace berth::detail {

BERTH_DECL runsc_client runsc_client::of(runsc_binary binary, const sandbox_record& record) {
  runsc_client client{std::move(binary), {}, record.container_id()};
  client.globals.root = record.runsc_root();
  return client;
}

BERTH_DECL boost::asio::awaitable<result<std::string>> run_runsc(runsc_argv argv, time_point deadline,
                                                                 std::vector<fd_mapping> fds) {
  spawn_options options;
  options.argv = std::move(argv);
  options.env = minimal_environment();
  options.fds = std::move(fds);
  stdio_options io;  // named: g++ 12 destroys a braced temporary in a co_await expression twice
  auto done = co_await run_process(std::move(options), std::move(io), deadline);
  if (!done) co_return std::move(done).error();
  if (!done->status.success()) {
    std::string said = done->err.empty() ? done->out : done->err;
    while (!said.empty() && said.back() == '\n') said.pop_back();
    error e = make_error(errc::runsc_failed, "sandbox", "runsc failed with " + done->status.to_string());
    if (!said.empty()) e.message += ": " + said.substr(0, said.find('\n'));
    e.detail = said;
    e.hint = find_obstacle("/");
    co_return e;
  }
  co_return std::move(done->out);
}

}  // namespace berth::detail
