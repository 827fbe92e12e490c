// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/docker/supervisor_shell.ipp>

namespace berth {

BERTH_DECL daemon_supervisor::daemon_supervisor(boost::asio::any_io_executor loop, executor& where,
                                                supervisor_options options)
    : impl_(std::make_shared<impl>(std::move(loop), where, std::move(options))) {}

BERTH_DECL daemon_supervisor::daemon_supervisor(daemon_supervisor&&) noexcept = default;

BERTH_DECL daemon_supervisor& daemon_supervisor::operator=(daemon_supervisor&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

BERTH_DECL daemon_supervisor::~daemon_supervisor() { close(); }

BERTH_DECL void daemon_supervisor::close() noexcept {
  if (impl_) impl_->close();
}

namespace detail {

inline error supervisor_closed() {
  return make_error(errc::closed, "docker", "the supervision of the docker daemon was ended");
}

// What a settled state means to one who waits for ready.
inline result<void> daemon_outcome(const daemon_fsm& machine) {
  switch (machine.state()) {
    case daemon_state::ready: return {};
    case daemon_state::failed:
    case daemon_state::not_present:
      if (machine.failure()) return machine.failure()->to_error();
      break;
    case daemon_state::disabled:
      return make_error(errc::state, "docker", "the docker daemon was not started", {}, "call start first");
    case daemon_state::stopped: return make_error(errc::state, "docker", "the docker daemon was stopped");
    case daemon_state::starting: break;
  }
  return make_error(errc::daemon_not_ready, "docker", "the docker daemon is not ready");
}

}  // namespace detail

// The coroutines hold the impl from the call on, not from when they first run: the supervisor may go in between.

inline boost::asio::awaitable<result<void>> daemon_supervisor::impl::start(self_ptr self) {
  if (!self || self->closed) co_return detail::supervisor_closed();
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const std::function<bool()> ended = [self] { return !self->fsm.ending(); };
  const std::function<bool()> done = [self] { return self->settled(); };
  result<void> outcome;
  const std::size_t stops = self->stops;
  errc why = co_await wait_for(self, ended, time_point::max());
  if (why == errc::ok && self->stops != stops) {
    // Whoever called last has it.
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return make_error(errc::state, "docker", "the docker daemon was stopped");
  }
  if (why == errc::ok && self->fsm.idle()) {
    auto plan = plan_docker(self->options.plan);
    if (!plan) {
      co_await boost::asio::this_coro::throw_if_cancelled(throws);
      co_return plan.error();
    }
    self->plan = std::move(*plan);
    for (const std::string& warning : self->plan.warnings) self->say(log_level::warn, warning);
    self->coming_up = true;
    self->dispatch(daemon_event::start{});
  }
  if (why == errc::ok) {
    ++self->starters;
    why = co_await wait_for(self, done, time_point::max());
    --self->starters;
  }
  if (why == errc::ok) {
    outcome = detail::daemon_outcome(self->fsm);
  } else if (why == errc::cancelled) {
    // Whoever gives up the start wants no dockerd, unless somebody else does, or it was up before; the shutdown goes on by
    // itself and `status` tells when it is over.
    if (self->coming_up && self->starters == 0) self->dispatch(daemon_event::stop{});
    outcome = make_error(errc::cancelled, "docker", "starting the docker daemon was cancelled");
  } else {
    outcome = detail::supervisor_closed();
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

inline boost::asio::awaitable<result<void>> daemon_supervisor::impl::wait_ready(self_ptr self, time_point deadline) {
  if (!self || self->closed) co_return detail::supervisor_closed();
  const std::function<bool()> done = [self] { return self->settled(); };
  const errc why = co_await wait_for(self, done, deadline);
  if (why == errc::ok) co_return detail::daemon_outcome(self->fsm);
  if (why == errc::timeout)
    co_return make_error(errc::timeout, "docker", "the docker daemon was not ready by the deadline", {},
                         "its own start goes on; wait again, or look at its log");
  if (why == errc::closed) co_return detail::supervisor_closed();
  co_return make_error(why, "docker", "waiting for the docker daemon ended early");
}

inline boost::asio::awaitable<daemon_status> daemon_supervisor::impl::wait_change(self_ptr self, daemon_state state) {
  if (!self) co_return daemon_status();
  const std::function<bool()> done = [self, state] { return self->fsm.state() != state; };
  (void)co_await wait_for(self, done, time_point::max());
  daemon_status out = self->status();
  if (self->closed && !done()) out.state = daemon_state::stopped;
  co_return out;
}

inline boost::asio::awaitable<result<void>> daemon_supervisor::impl::stop(self_ptr self) {
  if (!self || self->closed) co_return detail::supervisor_closed();
  ++self->stops;
  const std::size_t ends = self->ends;
  self->dispatch(daemon_event::stop{});
  // A start may follow at once, before this is resumed.
  const std::function<bool()> done = [self, ends] {
    return self->ends != ends ||
           (self->fsm.state() != daemon_state::starting && self->fsm.state() != daemon_state::ready);
  };
  const errc why = co_await wait_for(self, done, time_point::max());
  if (why == errc::ok) co_return result<void>();
  if (why == errc::closed) co_return detail::supervisor_closed();
  co_return make_error(why, "docker", "waiting for the docker daemon to stop ended early");
}

BERTH_DECL boost::asio::awaitable<result<void>> daemon_supervisor::start() { return impl::start(impl_); }

BERTH_DECL boost::asio::awaitable<result<void>> daemon_supervisor::wait_ready(time_point deadline) {
  return impl::wait_ready(impl_, deadline);
}

BERTH_DECL daemon_status daemon_supervisor::status() const { return impl_ ? impl_->status() : daemon_status(); }

BERTH_DECL boost::asio::awaitable<daemon_status> daemon_supervisor::wait_change(daemon_state state) {
  return impl::wait_change(impl_, state);
}

BERTH_DECL boost::asio::awaitable<result<void>> daemon_supervisor::stop() { return impl::stop(impl_); }

}  // namespace berth
