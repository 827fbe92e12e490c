// SPDX-License-Identifier: Apache-2.0
// The loop's operations: from being asked for to their one event DONE.
#include "detail/loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <atomic>

namespace berth::capi {

std::uint64_t next_op_id() noexcept {
  static constinit std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

result<std::uint64_t> loop_core::submit(const berth_op_options* options, op_body body) {
  BERTH_TRY(check());
  auto settings = read_op_options(options);
  if (!settings) return std::move(settings).error();
  auto op = std::make_shared<op_record>();
  op->id = next_op_id();
  op->user_data = settings->user_data;
  op->deadline = settings->deadline;
  op->done.emplace_back();
  const std::uint64_t id = op->id;
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return loop_closed_error();
    asio::post(*context_, [self = shared_from_this(), op = std::move(op), body = std::move(body)]() mutable {
      self->begin(std::move(op), std::move(body));
    });
  }
  return id;
}

void loop_core::begin(op_pointer op, op_body body) {
  try {
    ops_.emplace(op->id, op);
    bool closing = false;
    {
      const std::lock_guard lock(mutex_);
      closing = closing_;
    }
    if (closing) return finish(op, {}, loop_closed_error());
    if (op->deadline <= clock::now()) {
      return finish(op, {}, make_error(errc::timeout, "capi", "the deadline had passed before the operation began"));
    }
    if (op->deadline != time_point::max()) {
      op->timer.emplace(*context_, op->deadline);
      op->timer->async_wait([op](boost::system::error_code stopped) {
        if (stopped || op->cancelled) return;
        op->timed_out = true;
        op->signal.emit(asio::cancellation_type::all);
      });
    }
    op->started = true;
    asio::co_spawn(*context_, body(op),
                   asio::bind_cancellation_slot(op->signal.slot(),
                                                [self = shared_from_this(), op](std::exception_ptr e, op_result r) {
                                                  self->finish(op, std::move(e), std::move(r));
                                                }));
  } catch (...) {
    finish(op, std::current_exception(), op_outcome{});
  }
}

void loop_core::finish(const op_pointer& op, std::exception_ptr thrown, op_result outcome) {
  op->timer.reset();
  op->aspect.reset();
  berth_event& event = op->done.front().event;
  fill_event(event, BERTH_EVENT_DONE, op->id, op->user_data);
  try {
    if (thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (...) {
        outcome = exception_to_error();
      }
    }
    if (!outcome) {
      error why = std::move(outcome).error();
      if (why.code == errc::cancelled && op->timed_out) {
        why.code = errc::timeout;
        why.message = "the deadline passed" + (why.message.empty() ? std::string() : ": " + why.message);
      }
      event.status = static_cast<berth_status>(why.code == errc::ok ? errc::internal : why.code);
      event.err = make_error_handle(std::move(why));
      outcome = std::move(op->on_failure);
    }
    event.code = outcome->code;
    if (outcome->payload) event.payload = make_buffer_handle(std::move(*outcome->payload));
  } catch (...) {
    event.status = BERTH_E_NO_MEMORY;
  }
  push(op->done);
  ops_.erase(op->id);
  if (ops_.empty()) {
    // Not from here: the coroutine that ended is still on the stack.
    try {
      asio::post(*context_, [self = shared_from_this()] { self->take_down_when_idle(); });
    } catch (...) {
      take_down_when_idle();
    }
  }
}

void loop_core::cancel(std::uint64_t id) {
  post([self = shared_from_this(), id] {
    const op_pointer op = self->find_op(id);
    if (!op || op->cancelled || op->timed_out) return;
    op->cancelled = true;
    op->signal.emit(asio::cancellation_type::all);
  });
}

op_pointer loop_core::find_op(std::uint64_t id) {
  const auto found = ops_.find(id);
  return found == ops_.end() ? nullptr : found->second;
}

}  // namespace berth::capi
