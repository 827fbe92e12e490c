// SPDX-License-Identifier: Apache-2.0
// Characters and numbers of plain text. ASCII, whatever the locale.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace berth {

/// A letter, a digit or an underscore.
constexpr bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The number that `text` is, all of it; nothing when it is anything else, empty or out of range. `base` is for integers.
template <class Number>
std::optional<Number> parse_number(std::string_view text, [[maybe_unused]] int base = 10) noexcept {
  Number n{};
  std::from_chars_result read{};
  if constexpr (std::is_floating_point_v<Number>) {
    read = std::from_chars(text.data(), text.data() + text.size(), n);
  } else {
    read = std::from_chars(text.data(), text.data() + text.size(), n, base);
  }
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return n;
}

/// "1 packet", "2 packets".
inline std::string counted(std::uint64_t n, std::string_view noun) {
  return std::to_string(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

/// Appends a byte as two hexadecimal digits.
inline void append_hex(std::string& out, unsigned char byte) {
  constexpr char digits[] = "0123456789abcdef";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// Milliseconds since the epoch as RFC 3339 in UTC: "2026-11-29T08:30:00.123Z".
inline std::string format_utc(std::int64_t unix_ms) {
  const std::time_t second = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(unix_ms % 1000));
  return text;
}

}  // namespace berth
