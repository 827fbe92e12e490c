// SPDX-License-Identifier: Apache-2.0
// Texts of the kernel's taken apart without streams, whose locales would be a third of this program.
#pragma once

#include <string_view>

namespace berth::guest {

/// Cuts the first line off, without its newline. False at the end of the text.
inline bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const std::size_t end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return true;
}

/// Cuts the first word off, and the blanks before it. False where there is none.
inline bool next_word(std::string_view& text, std::string_view& word) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return false;
  text.remove_prefix(begin);
  const std::size_t end = text.find_first_of(" \t");
  word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  return true;
}

}  // namespace berth::guest
