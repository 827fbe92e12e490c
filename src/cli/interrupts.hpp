// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM and SIGHUP on the loop of a verb.
#pragma once

#include <berth/base/result.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace berth::cli {

/// From construction on the signals end nothing by themselves: they go to the present handler. One that comes while
/// there is none is kept and given to the next. A signal that was ignored when we started (nohup) stays ignored.
class interrupts {
 public:
  explicit interrupts(boost::asio::any_io_executor loop);
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  /// Replaces the handler; an empty one keeps signals for later.
  void handle(std::function<void(int signo)> handler);

  /// As if the signal had come.
  void raise(int signo) { deliver(state_, signo); }

  /// The first signal that came, or 0.
  int first() const noexcept { return state_->first; }

 private:
  struct state {
    explicit state(boost::asio::any_io_executor loop) : signals(loop) {}
    boost::asio::signal_set signals;
    std::function<void(int)> handler;
    int first = 0;
    int kept = 0;
  };
  static void listen(const std::shared_ptr<state>& s);
  static void deliver(const std::shared_ptr<state>& s, int signo);
  std::shared_ptr<state> state_;
};

/// Runs `work`; a signal cancels it. The result is the work's own either way, so that it can clean up first.
template <class T>
boost::asio::awaitable<result<T>> until_interrupted(boost::asio::awaitable<result<T>> work, interrupts& signals) {
  const auto loop = co_await boost::asio::this_coro::executor;
  boost::asio::cancellation_signal cancel;
  boost::asio::steady_timer done(loop, boost::asio::steady_timer::time_point::max());
  std::optional<result<T>> outcome;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, std::move(work),
                        boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, result<T> r) {
                          thrown = e;
                          outcome.emplace(std::move(r));
                          done.cancel();
                        }));
  signals.handle([&cancel](int) { cancel.emit(boost::asio::cancellation_type::terminal); });
  boost::system::error_code ignored;
  if (!outcome) co_await done.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  signals.handle(nullptr);
  if (thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& e) {
      if (e.code() != boost::asio::error::operation_aborted) throw;
      outcome.emplace(make_error(errc::cancelled, "cli", "cancelled"));
    }
  }
  co_return std::move(*outcome);
}

}  // namespace berth::cli
