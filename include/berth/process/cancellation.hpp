// SPDX-License-Identifier: Apache-2.0
// Cancellation as a value, for coroutines that have something to undo.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
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

namespace detail {

/// As cancellation_as_error, for the whole of a coroutine that is spawned. co_spawn lets one that ended in its first turn wait
/// once more: were throwing on again by then, that would throw out of the loop where it was cancelled.
template <class T>
boost::asio::awaitable<result<T>> without_throwing(boost::asio::awaitable<result<T>> work) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_return co_await std::move(work);
}

}  // namespace detail

/// Whether the calling coroutine was cancelled: for the places between operations.
inline boost::asio::awaitable<bool> was_cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

/// Waits on the loop; false when cancelled, at once where the caller was so before.
inline boost::asio::awaitable<bool> pause_for(duration d) {
  // Nothing is left to abort of a cancellation that came between two waits.
  const bool cancelled = co_await was_cancelled();
  if (cancelled) co_return false;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  timer.expires_after(d);
  boost::system::error_code failed;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, failed));
  co_return !failed;
}

/// `work`, to its end whatever becomes of the caller: what undoes. No cancellation of the caller's reaches it, neither one that
/// came before nor one that comes meanwhile, and the caller is a cancelled one afterwards too.
template <class T>
boost::asio::awaitable<result<T>> past_cancellation(boost::asio::awaitable<result<T>> work) {
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await boost::asio::this_coro::executor;
  std::exception_ptr thrown;
  std::optional<result<T>> outcome;
  try {
    auto heeding = detail::without_throwing(std::move(work));
    auto spawned = boost::asio::co_spawn(
        executor, std::move(heeding),
        boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(), boost::asio::use_awaitable));
    outcome = co_await std::move(spawned);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*outcome);
}

/// `work`, cancelled at `deadline`: errc::timeout then, in place of its errc::cancelled. It must heed cancellation, as all
/// that waits here does; the caller's own reaches it too, and keeps it from being begun where it came before.
template <class T>
boost::asio::awaitable<result<T>> until_deadline(boost::asio::awaitable<result<T>> work, time_point deadline) {
  if (deadline == time_point::max()) co_return co_await std::move(work);
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
    bool late = false;
  };
  const auto s = std::make_shared<shared>(co_await boost::asio::this_coro::executor);
  // Also where this coroutine is destroyed instead of resumed: nothing must be signalled into the work then.
  const std::shared_ptr<void> at_end(nullptr, [s](void*) {
    s->over = true;
    s->timer.cancel();
  });
  s->timer.expires_at(deadline);
  s->timer.async_wait([s](boost::system::error_code stopped) {
    if (stopped || s->over) return;
    s->late = true;
    s->stop.emit(boost::asio::cancellation_type::terminal);
  });
  auto slot = cancellation.slot();
  if (slot.is_connected()) {
    slot.assign([s](boost::asio::cancellation_type type) {
      if (!s->over) s->stop.emit(type);
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
  if (!*outcome && outcome->error().code == errc::cancelled && s->late) {
    error e = std::move(*outcome).error();
    e.code = errc::timeout;
    co_return e;
  }
  co_return std::move(*outcome);
}

}  // namespace berth
