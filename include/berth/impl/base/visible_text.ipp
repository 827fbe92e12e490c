// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/utf8.hpp>
#include <berth/base/visible_text.hpp>

#include <cstdint>

namespace berth {

BERTH_DECL std::size_t shown_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return first >= ' ' && first != 0x7f ? 1 : 0;
  const std::size_t length = utf8_length(text);
  if (length == 0) return 0;
  std::uint32_t point = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) point = point << 6 | (byte(i) & 0x3f);
  if (point < 0xa0) return 0;                        // C1
  if (point == 0x2028 || point == 0x2029) return 0;  // end a line or paragraph
  if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return 0;  // turn the direction
  return length;
}

BERTH_DECL void append_shown(std::string& out, std::string_view text, std::string_view kept) {
  while (!text.empty()) {
    const char c = text.front();
    std::size_t length = kept.find(c) != std::string_view::npos ? 1 : shown_length(text);
    if (length != 0) {
      out += text.substr(0, length);
    } else {
      length = 1;
      out += "\\x";
      append_hex(out, static_cast<unsigned char>(c));
    }
    text.remove_prefix(length);
  }
}

}  // namespace berth
