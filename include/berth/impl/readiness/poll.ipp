// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/readiness/poll.hpp>
#include <berth/readiness/poll_fsm.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
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
  co_await boost::asio::this_coro::throw_if_cancelled(false);
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

// What the shell of one poll holds while it sleeps; kept small, since there may be thousands.
struct poll_shell {
  poll_shell(boost::asio::any_io_executor executor, const poll_options& options, std::uint64_t random)
      : timer(std::move(executor)), machine(options.schedule, options.deadline, random) {}

  boost::asio::steady_timer timer;
  boost::asio::cancellation_signal stop_asking;
  poll_fsm machine;
  poll_action action;
};

// The frame of one asking lives only as long as it takes.
inline boost::asio::awaitable<void> poll_ask(poll_shell& shell, probe& question, const poll_options& options,
                                             const exit_notice* process) {
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  probe_outcome outcome;
  if (process) {
    // In a coroutine of its own, so that the end of the process can stop it as well as the caller's slot.
    auto slot = cancellation.slot();
    auto* stop = &shell.stop_asking;
    if (slot.is_connected()) slot.assign([stop](boost::asio::cancellation_type type) { stop->emit(type); });
    outcome =
        co_await boost::asio::co_spawn(shell.timer.get_executor(), ask_probe(question, shell.action.until),
                                       boost::asio::bind_cancellation_slot(stop->slot(), boost::asio::use_awaitable));
    if (slot.is_connected()) slot.clear();
  } else {
    outcome = co_await ask_probe(question, shell.action.until);
  }
  const bool ready = outcome.what == probe_outcome::kind::ready;
  if (!ready || (process && process->status())) {
    if (interrupted(shell.machine, shell.action, process, cancellation)) co_return;
  }
  if (!ready && options.on_attempt) options.on_attempt(shell.machine.attempts(), outcome);
  shell.action = shell.machine.answered(clock::now(), std::move(outcome));
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<poll_result> poll_until_ready(probe& question, poll_options options,
                                                                exit_notice* process) {
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;

  // Where two polls begin at one instant their probes or frames still differ.
  auto random = static_cast<std::uint64_t>(clock::now().time_since_epoch().count());
  random ^= static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&options)) << 20;
  detail::poll_shell shell(co_await boost::asio::this_coro::executor, options, random);
  const detail::exit_listener listener(process, [&shell] {
    shell.stop_asking.emit(boost::asio::cancellation_type::terminal);
    shell.timer.cancel();
  });
  if (!detail::interrupted(shell.machine, shell.action, process, cancellation)) {
    shell.action = shell.machine.start(clock::now());
  }
  while (shell.action.what != poll_action::kind::finish) {
    if (shell.action.what == poll_action::kind::ask) {
      co_await detail::poll_ask(shell, question, options, process);
      continue;
    }
    // on_attempt may have brought it about; from then on nothing would wake the timer.
    if (detail::interrupted(shell.machine, shell.action, process, cancellation)) {
      // co_spawn throws out of the loop when a coroutine was cancelled and ends without having been suspended once.
      co_await boost::asio::post(shell.timer.get_executor(), boost::asio::use_awaitable);
      break;
    }
    shell.timer.expires_at(shell.action.until);
    boost::system::error_code ec;
    co_await shell.timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
    if (!detail::interrupted(shell.machine, shell.action, process, cancellation)) {
      shell.action = shell.machine.woke(clock::now());
    }
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return shell.machine.take_result();
}

}  // namespace berth
