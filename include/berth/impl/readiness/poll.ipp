#pragma once

#include <berth/readiness/poll.hpp>
#include <berth/readiness/poll_fsm.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace berth {

namespace detail {

// Asks once. An exception of the probe's becomes an outcome; the cancellation of this ask is told by the caller, who
// knows who wanted it.
inline boost::asio::awaitable<probe_outcome> ask_probe(probe& question, time_point until) {
  std::string thrown;
  try {
    co_return co_await question.ask(until);
  } catch (const std::exception& e) {
    thrown = e.what();
  }
  probe_outcome failed;
  failed.what = probe_outcome::kind::fatal;
  failed.reason = make_error(errc::probe_failed, "readiness", "the probe threw: " + thrown);
  co_return failed;
}

// Whether the end of the process or the caller's cancellation ends the poll.
inline bool interrupted(poll_fsm& machine, poll_action& action, const exit_notice* process,
                        const boost::asio::cancellation_state& cancellation) {
  if (process && process->status()) {
    action = machine.exited(clock::now(), *process->status());
  } else if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
    action = machine.cancelled(clock::now());
  } else {
    return false;
  }
  return true;
}

// The poll's hold on an exit notice, given up even when the coroutine is destroyed while it sleeps.
class exit_listener {
 public:
  exit_listener(exit_notice* process, std::function<void()> wake) : process_(process) {
    if (process_) process_->on_set(std::move(wake));
  }
  exit_listener(const exit_listener&) = delete;
  exit_listener& operator=(const exit_listener&) = delete;
  ~exit_listener() {
    if (process_) process_->on_set({});
  }

 private:
  exit_notice* process_;
};

}  // namespace detail

BERTH_DECL boost::asio::awaitable<poll_result> poll_until_ready(probe& question, poll_options options,
                                                                exit_notice* process) {
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  auto executor = co_await boost::asio::this_coro::executor;

  boost::asio::steady_timer timer(executor);
  boost::asio::cancellation_signal stop_asking;
  const detail::exit_listener listener(process, [&timer, &stop_asking] {
    stop_asking.emit(boost::asio::cancellation_type::terminal);
    timer.cancel();
  });

  // Where two polls begin at one instant their addresses still differ.
  auto random = static_cast<std::uint64_t>(clock::now().time_since_epoch().count());
  random ^= static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&timer)) << 20;
  poll_fsm machine(options.schedule, options.deadline, random);
  poll_action action;
  if (!detail::interrupted(machine, action, process, cancellation)) {
    action = machine.start(clock::now());
    while (action.what != poll_action::kind::finish) {
      if (action.what == poll_action::kind::ask) {
        // In a coroutine of its own, so that it can be stopped when the process ends as well as by the caller's slot.
        auto slot = cancellation.slot();
        if (slot.is_connected()) slot.assign([&stop_asking](boost::asio::cancellation_type type) { stop_asking.emit(type); });
        auto outcome = co_await boost::asio::co_spawn(
            executor, detail::ask_probe(question, action.until),
            boost::asio::bind_cancellation_slot(stop_asking.slot(), boost::asio::use_awaitable));
        if (slot.is_connected()) slot.clear();
        const bool ready = outcome.what == probe_outcome::kind::ready;
        if (!ready || (process && process->status())) {
          if (detail::interrupted(machine, action, process, cancellation)) break;
        }
        if (!ready && options.on_attempt) options.on_attempt(machine.attempts(), outcome);
        action = machine.answered(clock::now(), std::move(outcome));
      } else {
        timer.expires_at(action.until);
        boost::system::error_code ec;
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        if (detail::interrupted(machine, action, process, cancellation)) break;
        action = machine.woke(clock::now());
      }
    }
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return machine.take_result();
}

}  // namespace berth
