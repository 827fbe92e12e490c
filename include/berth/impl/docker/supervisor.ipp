#pragma once

#include <berth/impl/docker/supervisor_shell.ipp>

namespace berth {

BERTH_DECL daemon_supervisor::daemon_supervisor(boost::asio::any_io_executor loop, executor& where,
                                                supervisor_options options)
    : impl_(std::make_shared<impl>(std::move(loop), where, std::move(options))) {}

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

BERTH_DECL boost::asio::awaitable<result<void>> daemon_supervisor::start() {
  const auto self = impl_;
  if (self->closed) co_return detail::supervisor_closed();
  auto plan = plan_docker(self->options.plan);
  if (!plan) co_return plan.error();
  self->plan = std::move(*plan);
  for (const std::string& warning : self->plan.warnings) self->say(log_level::warn, warning);
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  self->dispatch(daemon_event::start{});
  const std::function<bool()> done = [self] { return self->settled(); };
  const errc why = co_await impl::wait_for(self, done, time_point::max());
  result<void> outcome;
  if (why == errc::ok) {
    outcome = detail::daemon_outcome(self->fsm);
  } else if (why == errc::cancelled) {
    // Whoever gives up the start wants no dockerd; the shutdown goes on by itself and `status` tells when it is over.
    self->dispatch(daemon_event::stop{});
    outcome = make_error(errc::cancelled, "docker", "starting the docker daemon was cancelled");
  } else {
    outcome = detail::supervisor_closed();
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

BERTH_DECL boost::asio::awaitable<result<void>> daemon_supervisor::wait_ready(time_point deadline) {
  const auto self = impl_;
  const std::function<bool()> done = [self] { return self->settled(); };
  const errc why = co_await impl::wait_for(self, done, deadline);
  if (why == errc::ok) co_return detail::daemon_outcome(self->fsm);
  if (why == errc::timeout)
    co_return make_error(errc::timeout, "docker", "the docker daemon was not ready by the deadline", {},
                         "its own start goes on; wait again, or look at its log");
  if (why == errc::closed) co_return detail::supervisor_closed();
  co_return make_error(why, "docker", "waiting for the docker daemon ended early");
}

BERTH_DECL daemon_status daemon_supervisor::status() const {
  daemon_status out;
  out.state = impl_->fsm.state();
  out.pid = impl_->fsm.pid();
  out.ready_after = impl_->fsm.ready_after();
  out.restarts = impl_->fsm.restarts();
  out.failure = impl_->fsm.failure();
  return out;
}

BERTH_DECL boost::asio::awaitable<daemon_status> daemon_supervisor::wait_change(daemon_state state) {
  const auto self = impl_;
  const std::function<bool()> done = [self, state] { return self->fsm.state() != state; };
  (void)co_await impl::wait_for(self, done, time_point::max());
  daemon_status out;
  out.state = self->closed && !done() ? daemon_state::stopped : self->fsm.state();
  out.pid = self->fsm.pid();
  out.ready_after = self->fsm.ready_after();
  out.restarts = self->fsm.restarts();
  out.failure = self->fsm.failure();
  co_return out;
}

BERTH_DECL boost::asio::awaitable<result<void>> daemon_supervisor::stop() {
  const auto self = impl_;
  self->dispatch(daemon_event::stop{});
  const std::function<bool()> done = [self] { return self->fsm.state() != daemon_state::starting && self->fsm.state() != daemon_state::ready; };
  const errc why = co_await impl::wait_for(self, done, time_point::max());
  if (why == errc::ok) co_return result<void>();
  if (why == errc::closed) co_return detail::supervisor_closed();
  co_return make_error(why, "docker", "waiting for the docker daemon to stop ended early");
}

}  // namespace berth
