// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/readiness/poll_fsm.hpp>

#include <algorithm>
#include <utility>

namespace berth {

namespace detail {

// splitmix64: enough to spread polls out, and 8 bytes of state.
inline std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace detail

BERTH_DECL poll_fsm::poll_fsm(const probe_schedule& schedule, time_point deadline, std::uint64_t random)
    : schedule_(schedule), deadline_(deadline), random_(random) {}

BERTH_DECL poll_action poll_fsm::start(time_point now) {
  started_ = now;
  return ask_or_give_up(now);
}

BERTH_DECL poll_action poll_fsm::answered(time_point now, probe_outcome outcome) {
  result_.connected = result_.connected || outcome.connected;
  if (outcome.what == probe_outcome::kind::ready) return finish(now, errc::ok);
  result_.last = std::move(outcome.reason);
  if (outcome.what == probe_outcome::kind::fatal) return finish(now, errc::probe_failed);
  if (now >= deadline_) return finish(now, errc::timeout);
  const duration pause = schedule_.pause(result_.attempts - 1, detail::next_random(random_));
  return {poll_action::kind::sleep, std::min(deadline_after(pause, now), deadline_)};
}

BERTH_DECL poll_action poll_fsm::woke(time_point now) { return ask_or_give_up(now); }

BERTH_DECL poll_action poll_fsm::exited(time_point now, exit_status status) {
  result_.exited = status;
  return finish(now, errc::process_exited);
}

BERTH_DECL poll_action poll_fsm::cancelled(time_point now) { return finish(now, errc::cancelled); }

BERTH_DECL poll_action poll_fsm::ask_or_give_up(time_point now) {
  if (now >= deadline_) {
    if (result_.attempts == 0) {
      result_.last = make_error(errc::timeout, "readiness", "the deadline had passed before the first probe");
    }
    return finish(now, errc::timeout);
  }
  ++result_.attempts;
  return {poll_action::kind::ask, std::min(deadline_after(schedule_.attempt_timeout, now), deadline_)};
}

BERTH_DECL poll_action poll_fsm::finish(time_point now, errc status) {
  result_.status = status;
  if (result_.attempts != 0) result_.elapsed = now - started_;
  return {poll_action::kind::finish, now};
}

}  // namespace berth
