// SPDX-License-Identifier: Apache-2.0
// The loop: one thread that runs an io_context, and the queue of events behind an eventfd.
#pragma once

#include "guard.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/log.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <string>
#include <unordered_map>

namespace berth::capi {

namespace asio = boost::asio;

class loop_core;

/// How much of one command's output waits to be taken. `waiting` and `wake` belong to the loop's thread.
struct output_flow {
  explicit output_flow(std::size_t l) : limit(l) {}
  const std::size_t limit;
  std::atomic<std::size_t> queued{0};
  std::atomic<bool> waiting{false};
  std::function<void()> wake;
};

/// One event in the queue. Owns err and payload until it is taken.
struct queued_event {
  berth_event event{};
  std::shared_ptr<output_flow> flow;  // of BERTH_EVENT_OUTPUT
  std::size_t bytes = 0;
  bool droppable = false;

  queued_event() = default;
  queued_event(const queued_event&) = delete;
  queued_event& operator=(const queued_event&) = delete;
  ~queued_event() { berth_event_clear(&event); }
};
using event_node = std::list<queued_event>;  // of one element, spliced into the queue so that delivery cannot fail

/// What an operation came to when it succeeded.
struct op_outcome {
  std::int32_t code = 0;
  std::optional<std::string> payload;
};
using op_result = result<op_outcome>;

/// What further calls can do with a running operation (writing to a command's stdin, …). Loop thread only.
struct op_aspect {
  virtual ~op_aspect() = default;
};

/// A running operation. Loop thread only, but for the id.
struct op_record {
  std::uint64_t id = 0;
  std::uint64_t user_data = 0;
  time_point deadline = time_point::max();
  event_node done;  // made in advance
  asio::cancellation_signal signal;
  std::optional<asio::steady_timer> timer;
  bool started = false;
  bool cancelled = false;
  bool timed_out = false;
  std::shared_ptr<op_aspect> aspect;
  op_outcome on_failure;  // code and payload for the event of a failure; set by the operation
};
using op_pointer = std::shared_ptr<op_record>;

/// The caller's op options, checked.
struct op_settings {
  std::uint64_t user_data = 0;
  time_point deadline = time_point::max();
};
result<op_settings> read_op_options(const berth_op_options* options);

/// Something that lives on the loop and must be taken down on its thread. The loop keeps it until its handle is freed
/// (`retire`) or the loop ends, so that its destructor never runs on a thread of the caller's, or in a child after
/// fork.
class resident {
 public:
  virtual ~resident() = default;
  virtual void close_on_loop() noexcept = 0;
  /// Asked on the loop's thread when it is to be let go of; where it is false, `retire` is called again later.
  virtual bool may_retire() const noexcept { return true; }
};

/// A number for an operation or a request, never given twice in this process.
std::uint64_t next_op_id() noexcept;
/// An event of this moment.
void fill_event(berth_event& event, std::uint32_t kind, std::uint64_t op, std::uint64_t user_data) noexcept;
error loop_closed_error();

class loop_core : public std::enable_shared_from_this<loop_core> {
 public:
  static result<std::shared_ptr<loop_core>> start(const berth_loop_options& options);
  ~loop_core();

  // ---- any thread ----

  /// forked or closed, or nothing.
  result<void> check() const;
  bool forked() const noexcept;

  /// Starts an operation: `body` is called on the loop's thread and gives the coroutine.
  using op_body = std::function<asio::awaitable<op_result>(op_pointer)>;
  result<std::uint64_t> submit(const berth_op_options* options, op_body body);

  void cancel(std::uint64_t op);
  void close();
  void join();  ///< close, wait for the thread, and answer all waiters by closed
  result<std::size_t> take(berth_event* events, std::size_t cap);
  result<std::size_t> wait(berth_event* events, std::size_t cap, std::int32_t timeout_ms);
  int fd() const noexcept { return wake_.get(); }

  result<void> settle(std::shared_ptr<resident> r);  ///< closed when the loop is
  void retire(std::shared_ptr<resident> r) noexcept;

  /// Runs on the loop's thread; false when the loop has ended.
  bool post(std::function<void()> work);

  /// Puts an event in the queue. `droppable` ones are dropped when too many wait.
  void emit(std::uint32_t kind, std::uint64_t op, std::uint64_t user_data, std::int32_t code,
            std::optional<std::string> payload = {}, bool droppable = false, std::shared_ptr<output_flow> flow = {});

  /// A sink that makes log events, or none where the loop was made without.
  /// For lines about one object: with its user_data, or where that is 0 with the loop's.
  log_sink make_log_sink(std::uint64_t user_data = 0);
  std::size_t output_limit() const noexcept { return output_limit_; }

  // ---- loop thread ----

  asio::io_context& context() noexcept { return *context_; }
  op_pointer find_op(std::uint64_t op);

 private:
  loop_core() = default;
  void run();
  void begin(op_pointer op, op_body body);
  void finish(const op_pointer& op, std::exception_ptr thrown, op_result outcome);
  void take_down_when_idle();
  bool push(event_node& node, bool last = false) noexcept;
  class waiting_thread;

  pid_t pid_ = 0;
  std::int32_t log_level_ = 0;
  std::uint64_t user_data_ = 0;
  std::size_t queue_limit_ = 0;
  std::size_t output_limit_ = 0;
  unique_fd wake_;
  std::unique_ptr<std::thread> thread_;

  mutable std::mutex mutex_;  // of what follows
  std::list<queued_event> queue_;
  std::size_t droppable_ = 0;
  event_node last_event_;    // BERTH_EVENT_CLOSED, made in advance
  bool closing_ = false;     // nothing new is taken
  bool stopped_ = false;     // all operations have ended: nothing is posted any more
  bool ended_ = false;       // the last event is in the queue
  bool freed_ = false;       // waiters are sent home
  std::size_t waiting_ = 0;  // threads in wait
  std::unordered_map<const resident*, std::shared_ptr<resident>> residents_;

  // Loop thread only.
  std::unique_ptr<asio::io_context> context_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::unordered_map<std::uint64_t, op_pointer> ops_;
  bool taking_down_ = false;
};

struct loop_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::loop;
  static constexpr handle_use use = handle_use::shared;
  explicit loop_object(std::shared_ptr<loop_core> c) : core(std::move(c)) {}
  std::shared_ptr<loop_core> core;
};

/// Copies a caller's structure by the rule of clone3: a smaller one is filled up with zeros, what is beyond ours must
/// be zero. `T` begins with struct_size. Nothing given: all zero.
template <class T>
result<T> read_struct(const T* given, const char* name);
result<void> read_struct_bytes(const void* given, void* mine, std::size_t size, std::size_t least, const char* name);

template <class T>
result<T> read_struct(const T* given, const char* name) {
  T mine{};
  if (given != nullptr) BERTH_TRY(read_struct_bytes(given, &mine, sizeof(T), sizeof(std::uint32_t), name));
  return mine;
}

}  // namespace berth::capi
