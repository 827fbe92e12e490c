#pragma once

#include <berth/base/log.hpp>

namespace berth {
namespace detail {

inline bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (unsigned char c : value)
    if (c <= ' ' || c == '"' || c == '\\' || c == 0x7f) return true;
  return false;
}

/// Control characters would let a sandbox's text drive the terminal of whoever reads the log, or forge a line of it.
inline void append_visible(std::string& out, unsigned char c) {
  constexpr char hex[] = "0123456789abcdef";
  switch (c) {
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (c < ' ' || c == 0x7f) {
        out += "\\x";
        out += hex[c >> 4];
        out += hex[c & 15];
      } else {
        out += static_cast<char>(c);
      }
  }
}

inline void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    append_visible(out, c);
  }
  out += '"';
}

}  // namespace detail

BERTH_DECL std::string format_console(const log_event& event) {
  constexpr std::string_view names[] = {"DBG", "INF", "WRN", "ERR"};
  std::string out(names[static_cast<int>(event.level)]);
  out += ' ';
  for (unsigned char c : event.message) detail::append_visible(out, c);
  for (const log_field& field : event.fields) {
    out += ' ';
    out += field.key;
    out += '=';
    if (detail::needs_quotes(field.value)) {
      detail::append_quoted(out, field.value);
    } else {
      out += field.value;
    }
  }
  return out;
}

}  // namespace berth
