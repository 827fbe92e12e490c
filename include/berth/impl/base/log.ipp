// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/log.hpp>
#include <berth/base/visible_text.hpp>

#include <algorithm>

namespace berth {
namespace detail {

inline bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  while (!value.empty()) {
    const std::size_t length = shown_length(value);
    if (length == 0 || value.front() == ' ' || value.front() == '"' || value.front() == '\\') return true;
    value.remove_prefix(length);
  }
  return false;
}

/// Control characters would let a sandbox's text drive the terminal of whoever reads the log, or forge a line of it.
inline void append_visible(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of(quoted ? "\n\r\t\"\\" : "\n\r\t"), text.size());
    append_shown(out, text.substr(0, plain));
    if (plain == text.size()) return;
    const char c = text[plain];
    out += '\\';
    out += c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c;
    text.remove_prefix(plain + 1);
  }
}

}  // namespace detail

BERTH_DECL std::string format_console(const log_event& event) {
  constexpr std::string_view names[] = {"DBG", "INF", "WRN", "ERR"};
  std::string out(names[static_cast<int>(event.level)]);
  out += ' ';
  detail::append_visible(out, event.message, false);
  for (const log_field& field : event.fields) {
    out += ' ';
    out += field.key;
    out += '=';
    if (detail::needs_quotes(field.value)) {
      out += '"';
      detail::append_visible(out, field.value, true);
      out += '"';
    } else {
      out += field.value;
    }
  }
  return out;
}

}  // namespace berth
