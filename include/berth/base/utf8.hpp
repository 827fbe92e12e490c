// SPDX-License-Identifier: Apache-2.0
// UTF-8 as of RFC 3629: no surrogates, no overlong forms, at most U+10FFFF.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace berth {

/// Length of the well-formed sequence at `p`, or 0. Reads no byte past the first that is wrong, so a NUL at the end of
/// the text stops it.
inline std::size_t utf8_length(const unsigned char* p) noexcept {
  const unsigned char c = p[0];
  if (c < 0x80) return 1;
  if (c < 0xc2) return 0;
  if (c < 0xe0) return (p[1] & 0xc0) == 0x80 ? 2 : 0;
  if (c < 0xf0) {
    const unsigned char low = c == 0xe0 ? 0xa0 : 0x80;
    const unsigned char high = c == 0xed ? 0x9f : 0xbf;
    return p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 ? 3 : 0;
  }
  if (c < 0xf5) {
    const unsigned char low = c == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = c == 0xf4 ? 0x8f : 0xbf;
    return p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
  }
  return 0;
}

/// The same at the beginning of a text, which is not empty; nothing beyond its end is read.
inline std::size_t utf8_length(std::string_view text) noexcept {
  if (static_cast<unsigned char>(text.front()) < 0x80) return 1;
  unsigned char bytes[5] = {};
  std::memcpy(bytes, text.data(), text.size() < 4 ? text.size() : 4);
  return utf8_length(bytes);
}

inline bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace berth
