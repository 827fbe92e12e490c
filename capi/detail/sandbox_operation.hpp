// SPDX-License-Identifier: Apache-2.0
// How the functions that take a berth_sandbox begin their operations.
#pragma once

#include "sandbox.hpp"

#include <functional>

namespace berth::capi {

inline result<std::shared_ptr<sandbox_core>> sandbox_of(berth_sandbox* sandbox) {
  BERTH_PIN(s, sandbox_object, sandbox);
  BERTH_TRY(s->core->loop->check());
  return s->core;
}

/// Gives an operation's coroutine. The core stays for as long as that runs.
using sandbox_verb = std::function<asio::awaitable<op_result>(sandbox_core&, op_pointer)>;

/// `read` looks at the other arguments, so that what is wrong with them is told at once, and gives the verb.
template <class Read>
berth_status checked_sandbox_operation(berth_sandbox* sandbox, const berth_op_options* op_options, std::uint64_t* op,
                                       berth_error** err, Read read) {
  return guard(err, [&]() -> result<void> {
    BERTH_TRY(clear_out(op, "op"));
    auto core = sandbox_of(sandbox);
    if (!core) return std::move(core).error();
    result<sandbox_verb> verb = read();
    if (!verb) return std::move(verb).error();
    auto started = (*core)->loop->submit(
        op_options, [c = *core, verb = std::move(*verb)](op_pointer o) { return verb(*c, std::move(o)); });
    if (!started) return std::move(started).error();
    *op = *started;
    return {};
  });
}

inline berth_status sandbox_operation(berth_sandbox* sandbox, const berth_op_options* op_options, std::uint64_t* op,
                                      berth_error** err, sandbox_verb verb) {
  return checked_sandbox_operation(sandbox, op_options, op, err,
                                   [&]() -> result<sandbox_verb> { return std::move(verb); });
}

/// Makes the handle, then starts the operation that fills it; `verb` gives the coroutine.
template <class Verb>
result<void> begin_sandbox(berth_loop* loop, environment where, const berth_op_options* op_options,
                           berth_sandbox** sandbox, std::uint64_t* op, Verb verb) {
  std::shared_ptr<loop_core> l;
  {
    BERTH_PIN(pin, loop_object, loop);
    l = pin->core;
  }
  BERTH_TRY(l->check());
  auto core = std::make_shared<sandbox_core>(l, std::move(where));
  BERTH_TRY(l->settle(core));
  berth_sandbox* made = nullptr;
  BERTH_TRY(hand_out<sandbox_object>(&made, core));
  result<std::uint64_t> started = std::uint64_t{0};
  try {
    started = l->submit(op_options, [core, verb = std::move(verb)](op_pointer o) { return verb(*core, std::move(o)); });
  } catch (...) {
    berth_sandbox_free(made);
    throw;
  }
  if (!started) {
    berth_sandbox_free(made);
    return std::move(started).error();
  }
  *sandbox = made;
  *op = *started;
  return {};
}

/// A caller's text that was not looked at yet.
struct given_text {
  const char* data;
  std::size_t size;
};

/// Starts an operation on what is below a root; `verb` gives the coroutine.
template <class Verb>
result<void> begin_root_operation(berth_loop* loop, given_text where, const berth_op_options* op_options,
                                  std::uint64_t* op, Verb verb) {
  BERTH_TRY(clear_out(op, "op"));
  BERTH_TEXT(text, where.data, where.size);
  auto environment = read_environment(text);
  if (!environment) return std::move(environment).error();
  BERTH_PIN(l, loop_object, loop);
  environment->log = l->core->make_log_sink();
  auto started = l->core->submit(
      op_options, [core = l->core, place = *environment, verb](op_pointer) { return verb(core, place); });
  if (!started) return std::move(started).error();
  *op = *started;
  return {};
}

}  // namespace berth::capi
