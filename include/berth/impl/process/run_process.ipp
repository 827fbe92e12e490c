// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/process.hpp>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace berth {

namespace detail {

// The last few lines of what a program said, for an error's detail.
inline std::string last_output(const std::string& out, const std::string& err) {
  const std::string& text = err.empty() ? out : err;
  constexpr std::size_t most = 4096;
  if (text.size() <= most) return text;
  const auto newline = text.find('\n', text.size() - most);
  return text.substr(newline == std::string::npos ? text.size() - most : newline + 1);
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<command_result>> run_process(spawn_options options, stdio_options io,
                                                                      time_point deadline) {
  auto executor = co_await boost::asio::this_coro::executor;
  const std::string program = options.argv.empty() ? std::string() : options.argv[0];
  auto started = process::start(std::move(executor), std::move(options), std::move(io));
  if (!started) co_return started.error();
  // A cancellation must not throw past the stop below.
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto ended = co_await started->wait(deadline);
  if (!ended) {
    error e = ended.error();
    const auto killed = co_await started->stop(duration::zero());
    if (e.code == errc::timeout) {
      e.message = "the program did not end in time and was killed";
      e.path = program;
      e.detail = detail::last_output(started->output(output_stream::out), started->output(output_stream::err));
    }
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return e;
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return command_result{*ended, started->output(output_stream::out), started->output(output_stream::err)};
}

}  // namespace berth
