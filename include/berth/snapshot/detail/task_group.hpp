// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <list>
#include <memory>
#include <utility>

namespace berth::detail {

/// Coroutines side by side on one loop, for one that waits for them. It has to drain before it ends.
class task_group {
 public:
  explicit task_group(const boost::asio::any_io_executor& loop) : state_(std::make_shared<state>(loop)) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// `work` tells its outcome by itself; what it throws is dropped.
  void spawn(boost::asio::awaitable<void> work) {
    const auto signal = std::make_shared<boost::asio::cancellation_signal>();
    state_->running.push_back(signal);
    boost::asio::co_spawn(state_->changed.get_executor(), std::move(work),
                          boost::asio::bind_cancellation_slot(signal->slot(), [s = state_, signal](std::exception_ptr) {
                            s->running.remove(signal);
                            s->changed.cancel();
                          }));
  }
  int running() const noexcept { return static_cast<int>(state_->running.size()); }

  /// Until one of them has ended, or `until`; false when the caller was cancelled.
  boost::asio::awaitable<bool> wait(time_point until) {
    // A cancellation that came between two waits has nothing left to abort.
    const bool before = co_await was_cancelled();
    if (before) co_return false;
    boost::system::error_code ignored;
    state_->changed.expires_at(until);
    co_await state_->changed.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    const bool cancelled = co_await was_cancelled();
    co_return !cancelled;
  }

  /// Until all have ended, told to break off where `cancel`, or where the caller is cancelled: false then.
  boost::asio::awaitable<bool> drain(bool cancel) {
    bool whole = !cancel;
    while (whole && !state_->running.empty()) {
      auto waiting = wait(time_point::max());
      whole = co_await std::move(waiting);
    }
    if (!whole) {
      auto ending = past_cancellation(break_off());
      (void)co_await std::move(ending);
    }
    co_return whole;
  }

 private:
  boost::asio::awaitable<result<void>> break_off() {
    const auto now = state_->running;
    for (const auto& one : now) one->emit(boost::asio::cancellation_type::terminal);
    while (!state_->running.empty()) {
      auto waiting = wait(time_point::max());
      (void)co_await std::move(waiting);
    }
    co_return result<void>();
  }

  struct state {
    explicit state(const boost::asio::any_io_executor& loop) : changed(loop) {}
    std::list<std::shared_ptr<boost::asio::cancellation_signal>> running;
    boost::asio::steady_timer changed;
  };
  std::shared_ptr<state> state_;
};

}  // namespace berth::detail
