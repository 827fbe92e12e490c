// SPDX-License-Identifier: Apache-2.0
#include "hand_over.hpp"

#include "options.hpp"

#include <berth/base/text.hpp>

#include <unistd.h>

#include <cerrno>

namespace berth::cli {

std::optional<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return out;
}

result<std::vector<std::string>> read_handed_words() {
  const auto wrong = [] {
    return usage_error("hand-over is for programs, which give a length, a line feed and words by standard input");
  };
  // No byte more than the words: what follows is the answer.
  const auto read_byte = [](char& c) {
    ssize_t n;
    while ((n = ::read(STDIN_FILENO, &c, 1)) < 0 && errno == EINTR) {
    }
    return n == 1;
  };
  std::string digits;
  for (char c; digits.size() < 9 && read_byte(c) && c != '\n';) digits += c;
  const auto size = parse_number<std::size_t>(digits);
  if (!size || *size > (16u << 20)) return wrong();
  std::string text(*size, '\0');
  for (std::size_t got = 0; got < text.size();) {
    const ssize_t n = ::read(STDIN_FILENO, text.data() + got, text.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return wrong();
    got += static_cast<std::size_t>(n);
  }
  auto words = split_words(text);
  if (!words) return wrong();
  return std::move(*words);
}

}  // namespace berth::cli
