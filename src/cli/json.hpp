// SPDX-License-Identifier: Apache-2.0
// JSON as the command prints it: an ordered value, built once and written out.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::cli {

/// A value to print. Keys keep the order in which they were set; strings that are not UTF-8 (a sandbox may print
/// anything) are written with U+FFFD in place of each bad byte.
class json {
 public:
  json() = default;  ///< null
  json(std::string_view text) : what_(kind::string), text_(text) {}
  json(const std::string& text) : what_(kind::string), text_(text) {}
  json(const char* text) : what_(kind::string), text_(text) {}
  json(bool value) : what_(kind::literal), text_(value ? "true" : "false") {}
  template <std::integral Int>
  requires(!std::same_as<Int, bool>) json(Int value) : what_(kind::literal), text_(std::to_string(value)) {}
  json(double value);

  static json object() { return json(kind::object); }
  static json array() { return json(kind::array); }
  /// A text that is JSON already.
  static json parsed(std::string text) {
    json made(kind::literal);
    made.text_ = std::move(text);
    return made;
  }
  static json strings(const std::vector<std::string>& list);

  json& set(std::string key, json value) &;
  json&& set(std::string key, json value) && { return std::move(set(std::move(key), std::move(value))); }
  json& push(json value) &;

  /// `indent` 0 gives one line, otherwise one member a line. No newline at the end.
  std::string dump(int indent = 0) const;

 private:
  enum class kind { null, literal, string, object, array };
  explicit json(kind what) : what_(what) {}
  void write(std::string& out, int indent, int depth) const;

  kind what_ = kind::null;
  std::string text_;
  std::vector<std::pair<std::string, json>> members_;  // of an object; of an array with empty keys
};

}  // namespace berth::cli
