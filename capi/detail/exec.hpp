// SPDX-License-Identifier: Apache-2.0
// One command as an operation: its output as events with back-pressure, its stdin and signals as further operations.
#pragma once

#include "executor.hpp"
#include "loop_signal.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <list>

namespace berth::capi {

/// What berth_exec_start's options say.
struct exec_request {
  enum class sink { events, capture, null };
  command what;
  stdio_options::input in = stdio_options::input::null;
  std::string in_text;
  sink out = sink::events;
  sink err = sink::events;
  std::size_t capture_limit = 1u << 20;
};
result<exec_request> read_exec_request(std::string_view options);

/// What other calls do with a running command. Loop thread only.
struct exec_aspect final : op_aspect {
  std::shared_ptr<running_command> running;  // once it has started
  bool ended = false;
  loop_signal changed;     // started or ended
  std::list<int> writers;  // in the order of their calls; the first may write
  loop_signal turn;
  std::function<void(bool)> hold;  // its output; empty where the caller supplies it, and after the end
};

}  // namespace berth::capi
