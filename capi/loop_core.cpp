#include "detail/fork.hpp"
#include "detail/json_out.hpp"
#include "detail/loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <system_error>

namespace berth::capi {

static_assert(sizeof(berth_event) == 64);
static_assert(alignof(berth_event) == 8);

static constexpr std::size_t default_queue_limit = 65536;
static constexpr std::size_t default_output_limit = 1u << 20;

std::uint64_t next_op_id() noexcept {
  static constinit std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

static std::uint64_t mono_ns() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch()).count());
}

static void fill_event(berth_event& event, std::uint32_t kind, std::uint64_t op, std::uint64_t user_data) noexcept {
  event.size = sizeof(berth_event);
  event.kind = kind;
  event.op = op;
  event.user_data = user_data;
  event.t_mono_ns = mono_ns();
}

static error loop_closed_error() { return make_error(errc::closed, "capi", "the loop was closed"); }

// ---- life ----

result<std::shared_ptr<loop_core>> loop_core::start(const berth_loop_options& options) {
  if (options.log_level < BERTH_LOG_NONE || options.log_level > BERTH_LOG_ERROR) {
    return make_error(errc::invalid, "capi", "there is no such log level", "log_level", "use a BERTH_LOG_ constant");
  }
  std::shared_ptr<loop_core> core(new loop_core);
  core->pid_ = this_process();
  core->log_level_ = options.log_level;
  core->user_data_ = options.user_data;
  core->queue_limit_ = options.queue_limit != 0 ? options.queue_limit : default_queue_limit;
  core->output_limit_ = options.output_limit != 0 ? options.output_limit : default_output_limit;
  core->wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!core->wake_) return errno_error(errno, "capi", "no eventfd could be made");
  core->last_event_.emplace_back();
  try {
    core->context_ = std::make_unique<asio::io_context>(1);
  } catch (const boost::system::system_error& e) {
    return errno_error(e.code().value(), "capi", "the loop could not be made");
  }
  core->work_.emplace(core->context_->get_executor());

  // The thread starts with every signal blocked, so that the host program's handlers never run on it.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  try {
    core->thread_ = std::thread([core] { core->run(); });
    ::pthread_setname_np(core->thread_.native_handle(), "berth-loop");
  } catch (const std::system_error& e) {
    failed = e.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return errno_error(failed, "capi", "the loop's thread could not be started");
  return core;
}

loop_core::~loop_core() = default;

void loop_core::run() {
  for (;;) {
    try {
      context_->run();
      break;
    } catch (...) {
      // An exception out of a handler is a defect; the loop goes on, so that the other operations get their events.
      try {
        emit(BERTH_EVENT_LOG, 0, user_data_, BERTH_LOG_ERROR, exception_to_error().to_string(), true);
      } catch (...) {
      }
    }
  }
  // What the taken-down objects left to do, such as reaping a killed child.
  try {
    context_->restart();
    context_->run_for(std::chrono::seconds(10));  // returns as soon as nothing is left
  } catch (...) {
  }
  context_.reset();
}

bool loop_core::forked() const noexcept { return pid_ != this_process(); }

result<void> loop_core::check() const {
  if (forked()) {
    return make_error(errc::forked, "capi", "this loop belongs to the process before fork: its thread does not exist here",
                      {}, "make a new loop in the child, or start children by spawn (Python: spawn or forkserver)");
  }
  return {};
}

bool loop_core::post(std::function<void()> work) {
  if (forked()) return false;
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  asio::post(*context_, std::move(work));
  return true;
}

result<void> loop_core::settle(std::shared_ptr<resident> r) {
  BERTH_TRY(check());
  const std::lock_guard lock(mutex_);
  if (closing_) return loop_closed_error();
  const resident* key = r.get();
  residents_.emplace(key, std::move(r));
  return {};
}

void loop_core::retire(std::shared_ptr<resident> r) noexcept {
  try {
    // The message holds it too, so that its end comes there and not on this thread.
    post([self = shared_from_this(), r = std::move(r)] {
      {
        const std::lock_guard lock(self->mutex_);
        if (self->residents_.erase(r.get()) == 0) return;
      }
      r->close_on_loop();
    });
  } catch (...) {
    // No memory for the message: it stays until the loop ends.
  }
}

void loop_core::close() {
  if (forked()) return;
  const std::lock_guard lock(mutex_);
  if (closing_) return;
  asio::post(*context_, [self = shared_from_this()] {
    const auto running = self->ops_;  // finishing changes the map
    for (const auto& [id, op] : running) {
      op->cancelled = true;
      if (op->started) op->signal.emit(asio::cancellation_type::all);
    }
    self->take_down_when_idle();
  });
  closing_ = true;
}

void loop_core::take_down_when_idle() {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_ || !ops_.empty() || taking_down_) return;
  }
  taking_down_ = true;
  std::unordered_map<const resident*, std::shared_ptr<resident>> residents;
  {
    const std::lock_guard lock(mutex_);
    residents.swap(residents_);
  }
  for (const auto& [key, r] : residents) r->close_on_loop();
  residents.clear();
  fill_event(last_event_.front().event, BERTH_EVENT_CLOSED, 0, user_data_);
  push(last_event_, true);
  work_.reset();
  context_->stop();
}

void loop_core::join() {
  if (forked()) return;
  close();
  thread_.join();
  std::list<queued_event> dropped;
  const std::lock_guard lock(mutex_);
  freed_ = true;
  dropped.swap(queue_);
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

// ---- operations ----

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

// ---- the queue ----

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
    made.bytes = payload->size();
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
    if (queue_.empty()) {
      (void)!::read(wake_.get(), &count, sizeof count);
    } else if (n != 0) {
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

result<std::size_t> loop_core::wait(berth_event* events, std::size_t cap, std::int32_t timeout_ms) {
  const time_point until = timeout_ms < 0 ? time_point::max() : deadline_after(milliseconds(timeout_ms));
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

// ---- log ----

log_sink loop_core::make_log_sink(std::uint64_t user_data) {
  if (log_level_ == BERTH_LOG_NONE) return {};
  return [weak = weak_from_this(), user = user_data != 0 ? user_data : user_data_](const log_event& e) {
    const auto self = weak.lock();
    const int level = static_cast<int>(e.level) + BERTH_LOG_DEBUG;
    if (!self || level < self->log_level_) return;
    try {
      json_writer out;
      write_log_event(out, e);
      self->emit(BERTH_EVENT_LOG, 0, user, level, out.take(), true);
    } catch (...) {
      // A sink must not throw; a line for which there is no memory is lost.
    }
  };
}

}  // namespace berth::capi
