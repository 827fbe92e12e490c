// SPDX-License-Identifier: Apache-2.0
// Waking coroutines of one loop.
#pragma once

#include <berth/base/clock.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>

namespace berth::capi {

/// "Something changed": wakes whoever waits. Used on the loop's thread only. A waiter looks at its condition, then
/// waits, then looks again: since both happen on one thread, no wake is lost.
class loop_signal {
 public:
  void wake() {
    for (boost::asio::steady_timer* waiter : waiters_) waiter->cancel();
  }

  /// Returns on wake, at `until`, or when the caller's operation is cancelled. Does not throw for a cancellation.
  boost::asio::awaitable<void> wait(time_point until = time_point::max()) {
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() == boost::asio::cancellation_type::none) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, until);
      const entry mine(waiters_, timer);
      boost::system::error_code ec;
      co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
    }
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
  }

 private:
  struct entry {
    std::list<boost::asio::steady_timer*>& all;
    std::list<boost::asio::steady_timer*>::iterator at;
    entry(std::list<boost::asio::steady_timer*>& list, boost::asio::steady_timer& timer)
        : all(list), at(list.insert(list.end(), &timer)) {}
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;
    ~entry() { all.erase(at); }
  };
  std::list<boost::asio::steady_timer*> waiters_;
};

/// Whether the caller's operation was cancelled.
inline boost::asio::awaitable<bool> op_is_cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace berth::capi
