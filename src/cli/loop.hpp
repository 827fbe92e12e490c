// SPDX-License-Identifier: Apache-2.0
// One Asio loop for the length of a verb.
#pragma once

#include <berth/base/result.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace berth::cli {

/// Runs `work` on a loop of its own in this thread until it is done; what it left running on the loop ends with it.
template <class T>
T run_loop(boost::asio::awaitable<T> work) {
  boost::asio::io_context loop(1);
  std::optional<T> value;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr e, T v) {
    thrown = e;
    value.emplace(std::move(v));
    loop.stop();
  });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*value);
}

/// A program on $PATH (or our default path where that is unset), or empty.
std::string find_program(std::string_view name);

}  // namespace berth::cli
