// SPDX-License-Identifier: Apache-2.0
#include "detail/daemon.hpp"
#include "detail/json_out.hpp"

#include <berth/managed/status.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace berth::capi {

static_assert(static_cast<int>(daemon_state::disabled) == BERTH_DAEMON_DISABLED);
static_assert(static_cast<int>(daemon_state::not_present) == BERTH_DAEMON_NOT_PRESENT);
static_assert(static_cast<int>(daemon_state::starting) == BERTH_DAEMON_STARTING);
static_assert(static_cast<int>(daemon_state::ready) == BERTH_DAEMON_READY);
static_assert(static_cast<int>(daemon_state::failed) == BERTH_DAEMON_FAILED);
static_assert(static_cast<int>(daemon_state::stopped) == BERTH_DAEMON_STOPPED);

std::string daemon_status_json(const daemon_status& status) {
  json_writer out;
  write_json(out, status);
  return out.take();
}

op_outcome status_outcome(const daemon_status& status) {
  return {static_cast<std::int32_t>(status.state), daemon_status_json(status)};
}

void daemon_core::open() {
  try {
    if (closed_) return;
    auto place = where_->place();
    if (!place) {
      broken_ = std::move(place).error();
      return;
    }
    supervisor_options options = settings_.options;
    options.log = loop->make_log_sink(settings_.user_data);
    if (settings_.lines) {
      options.on_daemon_line = [loop = loop.get(), user = settings_.user_data,
                                also = std::move(options.on_daemon_line)](output_stream which, std::string_view line) {
        if (also) also(which, line);
        loop->emit(BERTH_EVENT_DAEMON_LINE, 0, user, which == output_stream::out ? 1 : 2, std::string(line), true);
      };
    }
    const auto executor = loop->context().get_executor();
    keeper_ = settings_.box ? make_guest_keeper(executor, settings_.box, std::move(options))
                            : make_supervising_keeper(executor, **place, std::move(options));
    asio::co_spawn(loop->context(), follow(shared_from_this(), keeper_), asio::detached);
  } catch (const std::exception& e) {
    broken_ = make_error(errc::internal, "capi", std::string("the supervisor could not be made: ") + e.what());
  }
}

void daemon_core::close_on_loop() noexcept {
  closed_ = true;
  // Operations that use it keep it to their end, which this is: without it a start would go on for as long as it takes.
  if (keeper_) keeper_->close();
  keeper_.reset();
}

// The keeper is not held here, or it would never go; wait_change ends when it does.
asio::awaitable<void> daemon_core::follow(std::shared_ptr<daemon_core> self, std::shared_ptr<daemon_keeper> what) {
  const std::weak_ptr<daemon_keeper> weak = what;
  daemon_status last = what->status();
  while (!self->closed_) {
    auto change = what->wait_change(last.state);
    what.reset();
    last = co_await std::move(change);
    what = weak.lock();
    if (!what) co_return;
    self->publish(last);
  }
}

void daemon_core::publish(const daemon_status& status) {
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    changed = last_.state != status.state || last_.restarts != status.restarts;
    last_ = status;
  }
  if (changed && !closed_ && settings_.on_state) settings_.on_state(status.state);
  if (changed && settings_.events && !closed_) {
    // Never dropped: a dockerd that prints without end must not hide that it, or another, has failed.
    loop->emit(BERTH_EVENT_DAEMON_STATE, 0, settings_.user_data, static_cast<std::int32_t>(status.state),
               daemon_status_json(status));
  }
}

daemon_status daemon_core::status() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

result<std::shared_ptr<daemon_keeper>> daemon_core::keeper() const {
  if (broken_) return *broken_;
  if (!keeper_) return make_error(errc::closed, "capi", "the daemon's supervisor was freed");
  return keeper_;
}

op_result daemon_core::outcome(const op_pointer& op, result<void>&& done) {
  if (keeper_) publish(keeper_->status());
  op_outcome out = status_outcome(status());
  if (done) return out;
  op->on_failure = std::move(out);
  return std::move(done).error();
}

asio::awaitable<result<void>> daemon_core::begin() {
  const auto self = shared_from_this();
  auto held = keeper();
  if (!held) co_return std::move(held).error();
  const auto keep = *held;
  co_return co_await keep->begin();
}

asio::awaitable<op_result> daemon_core::start(op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto self = shared_from_this();
  auto held = keeper();
  if (!held) co_return std::move(held).error();
  const auto keep = *held;
  auto done = co_await keep->start();
  co_return outcome(op, std::move(done));
}

asio::awaitable<op_result> daemon_core::wait_ready(op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto self = shared_from_this();
  auto held = keeper();
  if (!held) co_return std::move(held).error();
  const auto keep = *held;
  const time_point deadline = op->deadline;
  auto done = co_await keep->wait_ready(deadline);
  co_return outcome(op, std::move(done));
}

asio::awaitable<op_result> daemon_core::stop(op_pointer op) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto self = shared_from_this();
  auto held = keeper();
  if (!held) co_return std::move(held).error();
  const auto keep = *held;
  auto done = co_await keep->stop();
  co_return outcome(op, std::move(done));
}

}  // namespace berth::capi
