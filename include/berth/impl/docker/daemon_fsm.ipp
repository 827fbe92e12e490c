// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/docker/daemon_fsm.hpp>

#include <algorithm>
#include <cstdio>

namespace berth {
namespace detail {

template <class... Fs>
struct daemon_overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
daemon_overloaded(Fs...) -> daemon_overloaded<Fs...>;

inline std::string seconds_text(duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", std::chrono::duration<double>(d).count());
  return text;
}

}  // namespace detail

BERTH_DECL std::string_view daemon_state_name(daemon_state state) noexcept {
  switch (state) {
    case daemon_state::disabled: return "disabled";
    case daemon_state::not_present: return "not_present";
    case daemon_state::starting: return "starting";
    case daemon_state::ready: return "ready";
    case daemon_state::failed: return "failed";
    case daemon_state::stopped: return "stopped";
  }
  return "unknown";
}

BERTH_DECL duration restart_policy::pause(std::uint32_t restart) const noexcept {
  duration d = first_pause;
  for (std::uint32_t i = 0; i < restart && d < max_pause; ++i) d *= 2;
  return std::min(d, max_pause);
}

BERTH_DECL error daemon_failure::to_error() const {
  error e;
  e.layer = "docker";
  e.hint = hint;
  if (phase == "check" && !exited) {
    e.code = errc::daemon_not_present;
    e.message = "there is no dockerd in the sandbox";
    if (e.hint.empty()) e.hint = "install Docker in the root file system (Debian: docker.io, iptables, iproute2)";
    return e;
  }
  e.code = errc::daemon_failed;
  if (cause) {
    e.code = cause->code;
    e.sys_errno = cause->sys_errno;
    e.path = cause->path;
    if (e.hint.empty()) e.hint = cause->hint;
    if (!cause->detail.empty()) e.detail = cause->detail + "\n";
  }
  if (exited) {
    e.message = "dockerd ended with " + exited->to_string();
  } else if (phase == "wait" && reason.empty()) {
    e.code = errc::daemon_not_ready;
    e.message = "dockerd did not get ready in time";
  } else {
    e.message = reason.empty() ? "dockerd failed" : reason;
  }
  e.message += ", phase " + phase + ", after " + detail::seconds_text(elapsed) + ", " + counted(attempts, "probe");
  if (restarts > 0) e.message += ", restarted " + counted(restarts, "time");
  if (!hint_id.empty()) e.message += " [" + hint_id + "]";
  if (!last_probe.empty()) e.detail += "last probe: " + last_probe + "\n";
  if (!tail.empty()) e.detail += "last output:\n" + tail;
  if (!e.detail.empty() && e.detail.back() == '\n') e.detail.pop_back();
  return e;
}

BERTH_DECL void daemon_fsm::go(daemon_state to, actions& out) {
  state_ = to;
  out.push_back(daemon_action::changed{to});
}

BERTH_DECL void daemon_fsm::launch(time_point now, time_point ready_by, actions& out) {
  launched_at_ = now;
  ready_by_ = ready_by;
  pid_ = 0;
  step_ = step::launching;
  out.push_back(daemon_action::launch{ready_by});
}

BERTH_DECL daemon_failure daemon_fsm::failed_in(std::string phase, time_point now) const {
  daemon_failure why;
  why.phase = std::move(phase);
  why.elapsed = now - launched_at_;
  return why;
}

BERTH_DECL void daemon_fsm::give_up(daemon_failure why, daemon_state to, actions& out) {
  failure_ = std::move(why);
  failure_->restarts = restarts_;
  step_ = step::idle;
  pid_ = 0;
  out.push_back(daemon_action::fail{});
  go(to, out);
}

// dockerd ended by itself. Within a start that somebody waits for the deadline stays the first one's.
BERTH_DECL void daemon_fsm::ended(daemon_failure why, bool permanent, time_point now, actions& out) {
  const bool was_up = step_ == step::up;
  if (was_up && now - ready_at_ >= policy_.settle) in_a_row_ = 0;
  if (policy_.what == restart_policy::kind::never || in_a_row_ >= policy_.limit || !why.exited || permanent) {
    give_up(std::move(why), daemon_state::failed, out);
    return;
  }
  const duration pause = policy_.pause(in_a_row_);
  const time_point ready_by = was_up ? deadline_after(ready_timeout_, deadline_after(pause, now)) : ready_by_;
  if (!was_up && deadline_after(pause, now) >= ready_by) {
    give_up(std::move(why), daemon_state::failed, out);
    return;
  }
  ready_by_ = ready_by;
  ++in_a_row_;
  ++restarts_;
  failure_ = std::move(why);
  step_ = step::pausing;
  pid_ = 0;
  out.push_back(daemon_action::fail{});
  out.push_back(daemon_action::restart_after{deadline_after(pause, now), pause, restarts_});
  go(daemon_state::starting, out);
}

BERTH_DECL std::vector<daemon_action_any> daemon_fsm::on(const daemon_event_any& event, time_point now) {
  actions out;
  std::visit(detail::daemon_overloaded{
                 [&](const daemon_event::start&) {
                   if (step_ != step::idle) return;  // it is up, or on its way
                   wanted_at_ = now;
                   restarts_ = in_a_row_ = 0;
                   ready_after_ = {};
                   failure_.reset();
                   go(daemon_state::starting, out);
                   launch(now, deadline_after(ready_timeout_, now), out);
                 },
                 [&](const daemon_event::missing&) {
                   if (step_ != step::launching) return;
                   give_up(failed_in("check", now), daemon_state::not_present, out);
                 },
                 [&](const daemon_event::prepare_failed& e) {
                   if (step_ != step::launching) return;
                   daemon_failure why = failed_in("prepare", now);
                   why.reason = e.reason;
                   give_up(std::move(why), daemon_state::failed, out);
                 },
                 [&](const daemon_event::start_failed& e) {
                   if (step_ == step::stopping) {
                     step_ = step::idle;
                     go(daemon_state::stopped, out);
                     return;
                   }
                   if (step_ == step::killing) {
                     // The start was given up at its deadline, before the executor had come so far as to run anything.
                     daemon_failure why = std::move(*failure_);
                     give_up(std::move(why), daemon_state::failed, out);
                     return;
                   }
                   if (step_ != step::launching) return;
                   daemon_failure why = failed_in("start", now);
                   why.reason = "dockerd could not be started: " + e.why.message;
                   why.cause = e.why;
                   give_up(std::move(why), daemon_state::failed, out);
                 },
                 [&](const daemon_event::launched& e) {
                   pid_ = e.pid;
                   if (step_ != step::launching) return;  // asked to stop meanwhile
                   step_ = step::waiting;
                   out.push_back(daemon_action::begin_probing{ready_by_});
                 },
                 [&](const daemon_event::probe_ready& e) {
                   if (step_ != step::waiting) return;
                   step_ = step::up;
                   ready_at_ = now;
                   ready_after_ = now - (restarts_ == 0 ? wanted_at_ : launched_at_);
                   failure_.reset();
                   out.push_back(daemon_action::ready{e.attempts > 0 ? e.attempts - 1 : 0});
                   go(daemon_state::ready, out);
                 },
                 [&](const daemon_event::probe_gave_up& e) {
                   if (step_ != step::waiting && step_ != step::launching) return;
                   // Where a run before this one ended by itself, that is the cause, and this one only came too late.
                   if (!failure_ || !failure_->exited) {
                     failure_ = failed_in("wait", now);
                     failure_->attempts = e.attempts;
                     failure_->last_probe = e.last;
                   }
                   // The state changes when dockerd is gone, so that whoever sees `failed` finds nothing left.
                   step_ = step::killing;
                   out.push_back(daemon_action::end_probing{});
                   out.push_back(daemon_action::kill{});
                 },
                 [&](const daemon_event::exited& e) {
                   switch (step_) {
                     case step::stopping:
                       step_ = step::idle;
                       pid_ = 0;
                       go(daemon_state::stopped, out);
                       return;
                     case step::killing: {
                       daemon_failure why = std::move(*failure_);
                       give_up(std::move(why), daemon_state::failed, out);
                       return;
                     }
                     case step::launching:
                     case step::waiting:
                     case step::up: {
                       daemon_failure why = failed_in(step_ == step::up        ? "run"
                                                      : step_ == step::waiting ? "wait"
                                                                               : "start",
                                                      now);
                       why.exited = e.status;
                       if (e.why) why.reason = e.why->message;
                       why.cause = e.why;
                       why.attempts = e.attempts;
                       why.last_probe = e.last_probe;
                       if (step_ == step::waiting) out.push_back(daemon_action::end_probing{});
                       ended(std::move(why), e.permanent, now, out);
                       return;
                     }
                     case step::idle:
                     case step::pausing: return;
                   }
                 },
                 [&](const daemon_event::pause_over&) {
                   if (step_ != step::pausing) return;
                   launch(now, ready_by_, out);
                 },
                 [&](const daemon_event::stop&) {
                   switch (step_) {
                     case step::idle:
                       if (state_ != daemon_state::stopped && state_ != daemon_state::disabled)
                         go(daemon_state::stopped, out);
                       return;
                     case step::pausing:
                       step_ = step::idle;
                       out.push_back(daemon_action::cancel_restart{});
                       go(daemon_state::stopped, out);
                       return;
                     case step::waiting: out.push_back(daemon_action::end_probing{}); [[fallthrough]];
                     case step::launching:
                     case step::up:
                       step_ = step::stopping;
                       out.push_back(daemon_action::shut_down{});
                       return;
                     case step::killing:
                     case step::stopping: return;
                   }
                 },
             },
             event);
  return out;
}

}  // namespace berth
