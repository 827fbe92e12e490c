// SPDX-License-Identifier: Apache-2.0
// The loop: its thread, what lives on it, its end.
#include "detail/fork.hpp"
#include "detail/json_out.hpp"
#include "detail/loop.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace berth::capi {

static constexpr std::size_t default_queue_limit = 65536;
static constexpr std::size_t default_output_limit = 1u << 20;

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
    core->thread_ = std::make_unique<std::thread>([core] { core->run(); });
    ::pthread_setname_np(core->thread_->native_handle(), "berth-loop");
  } catch (const std::system_error& e) {
    failed = e.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return errno_error(failed, "capi", "the loop's thread could not be started");
  return core;
}

loop_core::~loop_core() {
  // In a child after fork there is no such thread to be joined, and a std::thread that was not joined ends the process.
  if (forked()) (void)thread_.release();
}

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
  // What the taken-down objects left to do, such as ending a dockerd and reaping a killed child.
  try {
    context_->restart();
    context_->run_for(std::chrono::seconds(10));  // returns as soon as nothing is left
  } catch (...) {
  }
  fill_event(last_event_.front().event, BERTH_EVENT_CLOSED, 0, user_data_);
  push(last_event_, true);
  context_.reset();
}

bool loop_core::forked() const noexcept { return pid_ != this_process(); }

result<void> loop_core::check() const {
  if (forked()) {
    return make_error(errc::forked, "capi",
                      "this loop belongs to the process before fork: its thread does not exist here", {},
                      "make a new loop in the child, or start children by spawn (Python: spawn or forkserver)");
  }
  return {};
}

bool loop_core::post(std::function<void()> work) {
  if (forked()) return false;
  const std::lock_guard lock(mutex_);
  if (stopped_) return false;
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
      if (!r->may_retire()) return;
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
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  work_.reset();
  context_->stop();
}

void loop_core::join() {
  if (forked()) return;
  close();
  thread_->join();
  std::list<queued_event> dropped;
  const std::lock_guard lock(mutex_);
  freed_ = true;
  dropped.swap(queue_);
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

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
