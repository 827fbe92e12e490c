// SPDX-License-Identifier: Apache-2.0
// Work that must not be cut off in the middle, and must not keep who is cancelled waiting for long either.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace berth {

/// `work`, which a cancellation of the caller's reaches `grace` later: what takes a moment comes to its end. Where the caller was
/// cancelled before it is not begun.
template <class T>
boost::asio::awaitable<result<T>> with_grace(boost::asio::awaitable<result<T>> work, duration grace) {
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return make_error(errc::cancelled, "process", "cancelled before it was begun");
  }
  struct shared {
    explicit shared(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    boost::asio::cancellation_signal stop;
    bool over = false;
  };
  const auto s = std::make_shared<shared>(co_await boost::asio::this_coro::executor);
  // Also where this coroutine is destroyed instead of resumed: nothing must be signalled into the work then.
  const std::shared_ptr<void> at_end(nullptr, [s](void*) {
    s->over = true;
    s->timer.cancel();
  });
  auto slot = cancellation.slot();
  if (slot.is_connected()) {
    slot.assign([s, grace](boost::asio::cancellation_type) {
      if (s->over) return;
      s->timer.expires_after(grace);
      s->timer.async_wait([s](boost::system::error_code stopped) {
        if (!stopped && !s->over) s->stop.emit(boost::asio::cancellation_type::terminal);
      });
    });
  }
  std::exception_ptr thrown;
  std::optional<result<T>> outcome;
  try {
    auto heeding = detail::without_throwing(std::move(work));
    auto spawned =
        boost::asio::co_spawn(s->timer.get_executor(), std::move(heeding),
                              boost::asio::bind_cancellation_slot(s->stop.slot(), boost::asio::use_awaitable));
    outcome = co_await std::move(spawned);
  } catch (...) {
    thrown = std::current_exception();
  }
  s->over = true;
  if (slot.is_connected()) slot.clear();
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*outcome);
}

}  // namespace berth
