// SPDX-License-Identifier: Apache-2.0
// What a poll does next, as a pure state machine: time and outcomes go in, actions come out.
#pragma once

#include <berth/readiness/poll_result.hpp>
#include <berth/readiness/probe_outcome.hpp>
#include <berth/readiness/schedule.hpp>

namespace berth {

/// What the shell around the machine is to do.
struct poll_action {
  enum class kind {
    ask,     ///< ask the probe, which must answer by `until`; then answered()
    sleep,   ///< then woke(), at `until`
    finish,  ///< take_result()
  };
  kind what = kind::finish;
  time_point until = time_point::max();
};

class poll_fsm {
 public:
  /// `random` is any 64-bit number and decides the jitter.
  BERTH_DECL poll_fsm(const probe_schedule& schedule, time_point deadline, std::uint64_t random);

  BERTH_DECL poll_action start(time_point now);
  BERTH_DECL poll_action answered(time_point now, probe_outcome outcome);
  BERTH_DECL poll_action woke(time_point now);
  /// At any time: the process ended (this wins over an answer that comes with it), or the caller cancelled.
  BERTH_DECL poll_action exited(time_point now, exit_status status);
  BERTH_DECL poll_action cancelled(time_point now);

  std::uint32_t attempts() const noexcept { return result_.attempts; }
  poll_result take_result() { return std::move(result_); }

 private:
  poll_action ask_or_give_up(time_point now);
  poll_action finish(time_point now, errc status);

  probe_schedule schedule_;
  time_point deadline_;
  time_point started_{};
  std::uint64_t random_;
  poll_result result_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/poll_fsm.ipp>
#endif
