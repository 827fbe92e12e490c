// Cancellation as a value, for coroutines that have something to undo.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace berth {

/// Runs `work` with Asio's throwing upon cancellation turned off, and back on to what it was afterwards: a coroutine
/// that has things to undo goes on past the cancellation, which reaches it as errc::cancelled of the operation that it
/// hit.
template <class T>
boost::asio::awaitable<result<T>> cancellation_as_error(boost::asio::awaitable<result<T>> work) {
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto outcome = co_await std::move(work);
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

/// Whether the calling coroutine was cancelled: for the places between operations.
inline boost::asio::awaitable<bool> was_cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

/// Waits on the loop; false when cancelled.
inline boost::asio::awaitable<bool> pause_for(duration d) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(d);
  boost::system::error_code failed;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, failed));
  co_return !failed;
}

}  // namespace berth
