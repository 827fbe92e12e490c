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

}  // namespace berth::capi
