// SPDX-License-Identifier: Apache-2.0
// Structured log events, handed to a sink that the host program supplies. berth writes to no stream by itself.
#pragma once

#include <berth/config.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

enum class log_level : int { debug = 0, info = 1, warn = 2, error = 3 };

struct log_field {
  std::string key;
  std::string value;
};

struct log_event {
  log_level level = log_level::info;
  std::string message;
  std::vector<log_field> fields;
};

/// Called on the thread that does the work; must not block and must not throw. An empty sink drops everything.
using log_sink = std::function<void(const log_event&)>;

/// Sends one event to `sink`, if there is one.
inline void log(const log_sink& sink, log_level level, std::string message, std::vector<log_field> fields = {}) {
  if (sink) sink(log_event{level, std::move(message), std::move(fields)});
}

/// The contract's console form on one line, without newline: `INF docker daemon is ready … retry_count=3`. Levels are
/// DBG, INF, WRN, ERR; a value with a blank, a quote or a control character is quoted and escaped, and so are control
/// characters of the message, some of which hold words of a sandbox's.
BERTH_DECL std::string format_console(const log_event& event);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/log.ipp>
#endif
