// SPDX-License-Identifier: Apache-2.0
// berth_exec_…: commands as operations, and what is done with one that runs.
#include "detail/exec.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace berth::capi {

namespace {

error no_such_command() {
  return make_error(errc::not_found, "capi", "no command runs under this op", "exec_op",
                    "it has ended, or the op is not one of berth_exec_start");
}

// The command, once it has started; null when it ended before.
asio::awaitable<std::shared_ptr<running_command>> await_started(std::shared_ptr<exec_aspect> aspect) {
  bool cancelled = false;
  while (!aspect->running && !aspect->ended && !cancelled) {
    co_await aspect->changed.wait();
    cancelled = co_await op_is_cancelled();
  }
  co_return aspect->running;
}

// A place in the line of writers.
class write_turn {
 public:
  explicit write_turn(std::shared_ptr<exec_aspect> a) : aspect(std::move(a)) {
    mine = aspect->writers.insert(aspect->writers.end(), 0);
  }
  write_turn(const write_turn&) = delete;
  write_turn& operator=(const write_turn&) = delete;
  ~write_turn() {
    aspect->writers.erase(mine);
    aspect->turn.wake();
  }
  bool is_first() const { return aspect->writers.begin() == mine; }

 private:
  std::shared_ptr<exec_aspect> aspect;
  std::list<int>::iterator mine;
};

// Writes, or ends stdin where there is nothing to write, after those who came before.
asio::awaitable<op_result> run_stdin(std::shared_ptr<loop_core> loop, std::uint64_t exec_op, std::string data,
                                     bool close) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const op_pointer target = loop->find_op(exec_op);
  auto aspect = target ? std::dynamic_pointer_cast<exec_aspect>(target->aspect) : nullptr;
  if (!aspect) co_return no_such_command();
  const write_turn turn(aspect);
  bool cancelled = false;
  while (!turn.is_first() && !aspect->ended && !cancelled) {
    co_await aspect->turn.wait();
    cancelled = co_await op_is_cancelled();
  }
  const auto running = co_await await_started(aspect);
  cancelled = co_await op_is_cancelled();
  if (cancelled) co_return make_error(errc::cancelled, "capi", "writing was cancelled");
  if (!running) co_return make_error(errc::closed, "capi", "the command has ended");
  if (close) {
    running->close_stdin();
    co_return op_outcome{};
  }
  auto written = co_await running->write(data);
  if (!written && aspect->ended) co_return make_error(errc::closed, "capi", "the command has ended");
  if (!written) co_return std::move(written).error();
  co_return op_outcome{};
}

asio::awaitable<op_result> run_signal(std::shared_ptr<loop_core> loop, std::uint64_t exec_op, int signo) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const op_pointer target = loop->find_op(exec_op);
  auto aspect = target ? std::dynamic_pointer_cast<exec_aspect>(target->aspect) : nullptr;
  if (!aspect) co_return no_such_command();
  const auto running = co_await await_started(aspect);
  const bool cancelled = co_await op_is_cancelled();
  if (cancelled) co_return make_error(errc::cancelled, "capi", "signalling was cancelled");
  if (!running) co_return make_error(errc::state, "capi", "the command has ended");
  auto sent = co_await running->signal(signo);
  if (!sent) co_return std::move(sent).error();
  co_return op_outcome{};
}

}  // namespace

}  // namespace berth::capi

using berth::capi::clear_out;
using berth::capi::guard;

berth_status berth_exec_start(berth_executor* executor, const char* options, size_t options_len,
                              const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(op, "op"));
    BERTH_PIN(e, berth::capi::executor_object, executor);
    BERTH_TRY(e->core->loop->check());
    BERTH_TEXT(text, options, options_len);
    auto started = berth::capi::start_exec(e->core, text, op_options);
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}

berth_status berth_exec_write(berth_loop* loop, uint64_t exec_op, const char* data, size_t data_len,
                              const berth_op_options* op_options, uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(op, "op"));
    BERTH_PIN(l, berth::capi::loop_object, loop);
    BERTH_TEXT(bytes, data, data_len);
    auto copy = std::make_shared<std::string>(bytes);
    auto started = l->core->submit(op_options, [core = l->core, exec_op, copy](berth::capi::op_pointer) {
      return berth::capi::run_stdin(core, exec_op, std::move(*copy), false);
    });
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}

berth_status berth_exec_close_stdin(berth_loop* loop, uint64_t exec_op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(l, berth::capi::loop_object, loop);
    BERTH_TRY(l->core->check());
    const bool posted = l->core->post([core = l->core, exec_op] {
      berth::capi::asio::co_spawn(core->context(), berth::capi::run_stdin(core, exec_op, {}, true),
                                  berth::capi::asio::detached);
    });
    if (!posted) return berth::make_error(berth::errc::closed, "capi", "the loop was closed");
    return {};
  });
}

berth_status berth_exec_hold(berth_loop* loop, uint64_t exec_op, int32_t hold, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_PIN(l, berth::capi::loop_object, loop);
    BERTH_TRY(l->core->check());
    if (hold != 0 && hold != 1) return berth::make_error(berth::errc::invalid, "capi", "hold is 0 or 1", "hold");
    const bool posted = l->core->post([core = l->core, exec_op, hold] {
      const auto target = core->find_op(exec_op);
      const auto aspect = target ? std::dynamic_pointer_cast<berth::capi::exec_aspect>(target->aspect) : nullptr;
      if (aspect && aspect->hold) aspect->hold(hold != 0);
    });
    if (!posted) return berth::make_error(berth::errc::closed, "capi", "the loop was closed");
    return {};
  });
}

berth_status berth_exec_signal(berth_loop* loop, uint64_t exec_op, int32_t signal, const berth_op_options* op_options,
                               uint64_t* op, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(op, "op"));
    BERTH_PIN(l, berth::capi::loop_object, loop);
    if (signal < 1 || signal > 64) {
      return berth::make_error(berth::errc::invalid, "capi", "there is no such signal", "signal");
    }
    auto started = l->core->submit(op_options, [core = l->core, exec_op, signal](berth::capi::op_pointer) {
      return berth::capi::run_signal(core, exec_op, signal);
    });
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}
