// SPDX-License-Identifier: Apache-2.0
// What messages between host and guest are made of: numbers and strings, written and read. Pure.
#pragma once

#include <berth/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::detail {

inline error guest_nonsense(std::string message) { return make_error(errc::hostile, "guest", std::move(message)); }

inline void put_u32(std::string& to, std::uint32_t n) {
  for (int shift = 0; shift < 32; shift += 8) to += static_cast<char>(static_cast<unsigned char>(n >> shift));
}

inline std::uint32_t get_u32(std::string_view from) {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < 4; ++i) n |= static_cast<std::uint32_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return n;
}

/// Numbers and strings behind one another. A reader that has met its end, or a length that is not there, gives zeros and
/// remembers it.
class payload_reader {
 public:
  explicit payload_reader(std::string_view payload) : rest_(payload) {}

  std::uint32_t number() {
    if (rest_.size() < 4) {
      broken_ = true;
      rest_ = {};
      return 0;
    }
    const std::uint32_t n = get_u32(rest_);
    rest_.remove_prefix(4);
    return n;
  }

  std::uint32_t number(std::uint32_t most) {
    const std::uint32_t n = number();
    if (n > most) broken_ = true;
    return n > most ? 0 : n;
  }

  /// Of 64 bits, the lower half first.
  std::uint64_t long_number() {
    const std::uint64_t low = number();
    return low | static_cast<std::uint64_t>(number()) << 32;
  }

  std::string string() {
    const std::uint32_t size = number();
    if (size > rest_.size()) {
      broken_ = true;
      rest_ = {};
      return {};
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  /// Strings that programs will see as NUL-terminated.
  std::string c_string() {
    std::string text = string();
    if (text.find('\0') != std::string::npos) broken_ = true;
    return text;
  }

  std::vector<std::string> c_strings() {
    std::vector<std::string> all;
    const std::uint32_t count = number();
    if (count > rest_.size() / 4) broken_ = true;  // each has a length at least
    for (std::uint32_t i = 0; i < count && !broken_; ++i) all.push_back(c_string());
    return all;
  }

  bool at_end() const { return rest_.empty(); }
  bool good() const { return !broken_ && rest_.empty(); }
  bool broken() const { return broken_; }
  void break_off() { broken_ = true; }

 private:
  std::string_view rest_;
  bool broken_ = false;
};

inline void put_u64(std::string& to, std::uint64_t n) {
  put_u32(to, static_cast<std::uint32_t>(n));
  put_u32(to, static_cast<std::uint32_t>(n >> 32));
}

inline void put_string(std::string& to, std::string_view text) {
  put_u32(to, static_cast<std::uint32_t>(text.size()));
  to += text;
}

inline void put_strings(std::string& to, const std::vector<std::string>& all) {
  put_u32(to, static_cast<std::uint32_t>(all.size()));
  for (const std::string& text : all) put_string(to, text);
}

template <class Message>
result<Message> checked(const payload_reader& read, Message message, const char* what) {
  if (!read.good()) return guest_nonsense(std::string("a message that cannot be read: ") + what);
  return message;
}

}  // namespace berth::detail
