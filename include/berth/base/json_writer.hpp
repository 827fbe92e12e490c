// SPDX-License-Identifier: Apache-2.0
// Writing JSON texts: records, events, statuses.
#pragma once

#include <berth/base/json_string.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

/// Builds one text from front to back; commas and line breaks come by themselves.
class json_writer {
 public:
  /// `indent` blanks a level, one member or element a line; with 0 all on one line.
  explicit json_writer(int indent = 0) noexcept : indent_(static_cast<std::size_t>(indent)) {}

  json_writer& open_object() { return open('{'); }
  json_writer& close_object() { return close('}'); }
  json_writer& open_array() { return open('['); }
  json_writer& close_array() { return close(']'); }
  json_writer& key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_ += indent_ == 0 ? ":" : ": ";
    at_value_ = true;
    return *this;
  }
  json_writer& string(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  json_writer& number(std::int64_t n) { return raw(std::to_string(n)); }
  json_writer& unsigned_number(std::uint64_t n) { return raw(std::to_string(n)); }
  /// As short as reads back to the same; null where JSON has no such number.
  json_writer& real(double n) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, n).ptr;
    return std::isfinite(n) ? raw(std::string_view(text, static_cast<std::size_t>(end - text))) : null();
  }
  /// Three digits behind the point.
  json_writer& decimal(double n) {
    char text[400];
    const auto end = std::to_chars(text, text + sizeof text, n, std::chars_format::fixed, 3).ptr;
    return std::isfinite(n) ? raw(std::string_view(text, static_cast<std::size_t>(end - text))) : null();
  }
  json_writer& boolean(bool b) { return raw(b ? "true" : "false"); }
  json_writer& null() { return raw("null"); }
  json_writer& raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (!std::exchange(at_value_, false)) {
      if (!first_) out_ += ',';
      if (depth_ != 0) new_line();
    }
    first_ = false;
  }
  void new_line() {
    if (indent_ == 0) return;
    out_ += '\n';
    out_.append(indent_ * depth_, ' ');
  }
  json_writer& open(char c) {
    separate();
    out_ += c;
    ++depth_;
    first_ = true;
    return *this;
  }
  json_writer& close(char c) {
    --depth_;
    if (!first_) new_line();
    out_ += c;
    first_ = false;
    return *this;
  }

  std::string out_;
  std::size_t indent_;
  std::size_t depth_ = 0;
  bool first_ = true;      // in what is open
  bool at_value_ = false;  // behind a key
};

}  // namespace berth
