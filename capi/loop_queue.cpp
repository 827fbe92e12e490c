// SPDX-License-Identifier: Apache-2.0
// The loop's queue: events on their way from its thread to whoever takes them.
#include "detail/loop.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace berth::capi {

static_assert(sizeof(berth_event) == 64);
static_assert(alignof(berth_event) == 8);

error loop_closed_error() { return make_error(errc::closed, "capi", "the loop was closed"); }

static std::uint64_t mono_ns() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch()).count());
}

void fill_event(berth_event& event, std::uint32_t kind, std::uint64_t op, std::uint64_t user_data) noexcept {
  event.size = sizeof(berth_event);
  event.kind = kind;
  event.op = op;
  event.user_data = user_data;
  event.t_mono_ns = mono_ns();
}

bool loop_core::push(event_node& node, bool last) noexcept {
  const std::lock_guard lock(mutex_);
  if (ended_ || freed_) return false;
  const bool was_empty = queue_.empty();
  if (node.front().droppable) ++droppable_;
  queue_.splice(queue_.end(), node);
  ended_ = last;
  if (was_empty) {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);  // cannot be full: it was read when the queue became empty
  }
  return true;
}

void loop_core::emit(std::uint32_t kind, std::uint64_t op, std::uint64_t user_data, std::int32_t code,
                     std::optional<std::string> payload, bool droppable, std::shared_ptr<output_flow> flow) {
  if (forked()) return;
  if (droppable) {
    const std::lock_guard lock(mutex_);
    if (droppable_ >= queue_limit_) return;
  }
  event_node node;
  node.emplace_back();
  queued_event& made = node.front();
  made.droppable = droppable;
  fill_event(made.event, kind, op, user_data);
  made.event.code = code;
  if (payload) {
    // With what an event takes besides: many small pieces are to fill no more memory than few large ones.
    made.bytes = payload->size() + 256;
    made.event.payload = make_buffer_handle(std::move(*payload));
  }
  if (flow) {
    flow->queued.fetch_add(made.bytes, std::memory_order_relaxed);
    made.flow = std::move(flow);
  }
  push(node);
}

result<std::size_t> loop_core::take(berth_event* events, std::size_t cap) {
  BERTH_TRY(check());
  std::size_t n = 0;
  std::list<queued_event> taken;
  {
    const std::lock_guard lock(mutex_);
    if (freed_ || (queue_.empty() && ended_)) return loop_closed_error();
    auto end = queue_.begin();
    while (n < cap && end != queue_.end()) {
      if (end->droppable) --droppable_;
      ++n;
      ++end;
    }
    taken.splice(taken.end(), queue_, queue_.begin(), end);
    std::uint64_t count = 0;
    if (queue_.empty() && !(ended_ && waiting_ > 0)) {
      (void)!::read(wake_.get(), &count, sizeof count);
    } else if (n != 0 && !queue_.empty()) {
      count = 1;  // the caller may have read it, and would not come back for the rest
      (void)!::write(wake_.get(), &count, sizeof count);
    }
  }
  std::size_t at = 0;
  for (queued_event& q : taken) {
    events[at++] = q.event;
    q.event = berth_event{};  // the caller's now
    if (q.flow) {
      const std::size_t before = q.flow->queued.fetch_sub(q.bytes, std::memory_order_acq_rel);
      if (before - q.bytes < q.flow->limit && q.flow->waiting.exchange(false, std::memory_order_acq_rel)) {
        try {
          post([flow = q.flow] {
            if (flow->wake) flow->wake();
          });
        } catch (...) {
          q.flow->waiting = true;  // no memory now: the next event that is taken tries again
        }
      }
    }
  }
  return n;
}

// While others sleep in wait, the last event leaves the descriptor readable: each of them has to see the end. The last to
// wake empties it.
class loop_core::waiting_thread {
 public:
  explicit waiting_thread(loop_core& l) : loop_(l) {
    const std::lock_guard lock(loop_.mutex_);
    ++loop_.waiting_;
  }
  waiting_thread(const waiting_thread&) = delete;
  waiting_thread& operator=(const waiting_thread&) = delete;
  ~waiting_thread() {
    const std::lock_guard lock(loop_.mutex_);
    std::uint64_t count = 0;
    if (--loop_.waiting_ == 0 && loop_.ended_ && !loop_.freed_ && loop_.queue_.empty())
      (void)!::read(loop_.wake_.get(), &count, sizeof count);
  }

 private:
  loop_core& loop_;
};

result<std::size_t> loop_core::wait(berth_event* events, std::size_t cap, std::int32_t timeout_ms) {
  const time_point until = timeout_ms < 0 ? time_point::max() : deadline_after(milliseconds(timeout_ms));
  BERTH_TRY(check());  // before anything is locked: after fork nobody may be there to unlock it
  const waiting_thread here(*this);
  for (;;) {
    auto n = take(events, cap);
    if (!n || *n != 0) return n;
    int left = -1;
    if (timeout_ms >= 0) {
      const auto ms = std::chrono::ceil<milliseconds>(until - clock::now()).count();
      if (ms <= 0) return std::size_t{0};
      left = static_cast<int>(ms);
    }
    pollfd ready{wake_.get(), POLLIN, 0};
    if (::poll(&ready, 1, left) < 0 && errno != EINTR) return errno_error(errno, "capi", "poll failed");
  }
}

}  // namespace berth::capi
