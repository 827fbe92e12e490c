// SPDX-License-Identifier: Apache-2.0
// Running coroutines to their end in a test.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace berth_test {

/// One loop for a whole test, since handles and commands belong to theirs.
class loop {
 public:
  boost::asio::io_context& context() { return context_; }

  /// Runs `work` to its end. A hang is an exception after `limit`, far beyond what anything here takes.
  template <class T>
  T run(boost::asio::awaitable<T> work, std::chrono::seconds limit = std::chrono::seconds(300)) {
    std::optional<T> outcome;
    std::exception_ptr failed;
    boost::asio::co_spawn(context_, std::move(work), [&](std::exception_ptr e, T value) {
      failed = e;
      if (!e) outcome.emplace(std::move(value));
    });
    const auto end = std::chrono::steady_clock::now() + limit;
    context_.restart();
    while (!outcome && !failed) {
      if (context_.stopped()) context_.restart();
      if (context_.run_one_until(end) == 0 && std::chrono::steady_clock::now() >= end) {
        throw std::runtime_error("the coroutine did not end in time");
      }
    }
    if (failed) std::rethrow_exception(failed);
    return std::move(*outcome);
  }

  /// Lets what runs in the background come to its end.
  void drain(std::chrono::seconds limit) {
    context_.restart();
    context_.run_for(limit);
  }

  /// Lets what runs in the background go on.
  void run_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    context_.restart();
    context_.run_until(end);
    std::this_thread::sleep_until(end);  // it comes back at once when there is nothing to do
  }

 private:
  boost::asio::io_context context_;
};

}  // namespace berth_test
