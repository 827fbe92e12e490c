// SPDX-License-Identifier: Apache-2.0
// The life of a supervised dockerd as a pure state machine: events in, actions out, the time as an argument.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/process/exit_status.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace berth {

/// What the outside sees. `starting` covers the pause before a restart too (`daemon_status::restarts` tells them
/// apart).
enum class daemon_state { disabled, not_present, starting, ready, failed, stopped };

/// "disabled", "not_present", "starting", "ready", "failed", "stopped". Static text.
BERTH_DECL std::string_view daemon_state_name(daemon_state state) noexcept;

/// What to do when dockerd ends by itself.
struct restart_policy {
  enum class kind { never, on_failure };
  kind what = kind::never;
  std::uint32_t limit = 5;                   ///< restarts in a row without having been ready for `settle`
  duration first_pause = milliseconds(200);  ///< doubled each time up to `max_pause`
  duration max_pause = seconds(10);
  duration settle = seconds(30);

  /// The pause before restart number `restart` (from 0).
  BERTH_DECL duration pause(std::uint32_t restart) const noexcept;
};

/// Why the daemon is not ready.
struct daemon_failure {
  std::string phase;           ///< "check", "prepare", "start", "wait", "run"
  duration elapsed{};          ///< since the start of this run of dockerd
  std::uint32_t attempts = 0;  ///< probes asked in this run
  std::uint32_t restarts = 0;  ///< how often dockerd was restarted before this was given up
  std::optional<exit_status> exited;
  std::string reason;          ///< what happened, where there is no exit status to say it
  std::optional<error> cause;  ///< the executor's error, where it could not run dockerd or lost it
  std::string last_probe;      ///< the last probe's words
  std::string tail;            ///< the last lines of dockerd's output
  std::string hint_id;         ///< stable id of a known symptom, for instance BERTH-CGROUP-DEVICES, or empty
  std::string hint;            ///< the remedy, or empty

  /// daemon_not_present (phase "check"), daemon_not_ready (a deadline), the code of `cause`, else daemon_failed.
  BERTH_DECL error to_error() const;
};

/// What happened, as told to the machine.
namespace daemon_event {
struct start {};    ///< somebody wants it up
struct missing {};  ///< there is no dockerd
struct prepare_failed {
  std::string reason;
};  ///< a step before dockerd failed
struct start_failed {
  error why;
};  ///< the executor could not run the command
struct launched {
  pid_t pid = 0;
};  ///< the process is there
struct probe_ready {
  std::uint32_t attempts = 0;
};                      ///< the API answered
struct probe_gave_up {  ///< the deadline passed, or waiting cannot help
  std::uint32_t attempts = 0;
  std::string last;
};
struct exited {
  std::optional<exit_status> status;  ///< none: it cannot be told any more, and nothing can be restarted there
  std::uint32_t attempts = 0;
  std::string last_probe;
  std::optional<error> why;  ///< where there is no status
  bool permanent = false;    ///< it would end so again: a restart does not help
};
struct pause_over {};  ///< the timer set by restart_after
struct stop {};        ///< somebody wants it down
}  // namespace daemon_event

using daemon_event_any =
    std::variant<daemon_event::start, daemon_event::missing, daemon_event::prepare_failed, daemon_event::start_failed,
                 daemon_event::launched, daemon_event::probe_ready, daemon_event::probe_gave_up, daemon_event::exited,
                 daemon_event::pause_over, daemon_event::stop>;

/// What the shell around the machine must do, in order.
namespace daemon_action {
struct launch {
  time_point ready_by;
};  ///< run the plan's command; probe when launched, until `ready_by`
struct begin_probing {
  time_point ready_by;
};
struct end_probing {};
struct restart_after {
  time_point at;
  duration pause{};
  std::uint32_t number = 0;
};  ///< send pause_over at `at`
struct cancel_restart {};
struct kill {};       ///< SIGKILL to dockerd and what it left; `exited` follows
struct shut_down {};  ///< the graceful way; `exited` follows
struct changed {
  daemon_state state;
};  ///< tell whoever waits
struct ready {
  std::uint32_t retry_count = 0;
};               ///< the contract's line
struct fail {};  ///< failure() is set: diagnose and log it
}  // namespace daemon_action

using daemon_action_any =
    std::variant<daemon_action::launch, daemon_action::begin_probing, daemon_action::end_probing,
                 daemon_action::restart_after, daemon_action::cancel_restart, daemon_action::kill,
                 daemon_action::shut_down, daemon_action::changed, daemon_action::ready, daemon_action::fail>;

/// The machine. Deterministic, without I/O, clock or threads.
class daemon_fsm {
 public:
  explicit daemon_fsm(restart_policy policy = {}, duration ready_timeout = seconds(30))
      : policy_(policy), ready_timeout_(ready_timeout) {}

  BERTH_DECL std::vector<daemon_action_any> on(const daemon_event_any& event, time_point now);

  daemon_state state() const noexcept { return state_; }
  /// Nothing runs, nor is about to: a start would begin anew.
  bool idle() const noexcept { return step_ == step::idle; }
  /// dockerd is being ended; the state changes once it is gone.
  bool ending() const noexcept { return step_ == step::stopping || step_ == step::killing; }
  pid_t pid() const noexcept { return pid_; }
  std::uint32_t restarts() const noexcept { return restarts_; }
  duration ready_after() const noexcept { return ready_after_; }
  /// Of the last run that failed; kept while a restart is under way, cleared when ready.
  const std::optional<daemon_failure>& failure() const noexcept { return failure_; }
  std::optional<daemon_failure>& failure() noexcept { return failure_; }

 private:
  /// idle: no process. launching: asked for, not yet told of. waiting: up, not ready. up: ready. pausing: before a
  /// restart. killing: its readiness deadline passed. stopping: on request.
  enum class step { idle, launching, waiting, up, pausing, killing, stopping };
  using actions = std::vector<daemon_action_any>;

  void go(daemon_state to, actions& out);
  void launch(time_point now, time_point ready_by, actions& out);
  void give_up(daemon_failure why, daemon_state to, actions& out);
  void ended(daemon_failure why, bool permanent, time_point now, actions& out);
  daemon_failure failed_in(std::string phase, time_point now) const;

  restart_policy policy_;
  duration ready_timeout_;
  daemon_state state_ = daemon_state::disabled;
  step step_ = step::idle;
  pid_t pid_ = 0;
  std::uint32_t restarts_ = 0;  // since the start that was asked for, for people
  std::uint32_t in_a_row_ = 0;  // since it was last ready for policy_.settle
  time_point wanted_at_{};      // when start was asked for
  time_point launched_at_{};
  time_point ready_at_{};
  time_point ready_by_{};
  duration ready_after_{};
  std::optional<daemon_failure> failure_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/daemon_fsm.ipp>
#endif
