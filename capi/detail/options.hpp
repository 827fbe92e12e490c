// SPDX-License-Identifier: Apache-2.0
// Reading the JSON texts that callers pass as options: checked as a spec is, unknown names refused.
#pragma once

#include "options_table.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/spec/json.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::capi {

/// One object of an options text, whose options are those of a set of the table: types, ranges and words are looked up
/// there. A getter takes note of the name that it asks for; the first thing that is wrong is kept (with the JSON pointer),
/// and `finish` gives it, or complains of names that nobody asked for. To ask for what the table does not have so is a defect
/// (`internal`).
class options_object {
 public:
  options_object(json_view object, const option_set& set, std::string pointer, std::optional<error>& problem)
      : object_(object), set_(&set), pointer_(std::move(pointer)), problem_(&problem) {}

  bool has(std::string_view name) const;
  std::optional<std::string> text(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name);
  std::optional<std::uint64_t> size(std::string_view name);
  std::optional<std::vector<std::uint32_t>> ids(std::string_view name);  ///< an array of uids or gids
  std::optional<double> number(std::string_view name);
  /// The one of `values` that is in the place of the word in the table's list.
  template <class Enum, std::size_t N>
  std::optional<Enum> word(std::string_view name, const std::array<Enum, N>& values) {
    const auto at = word_index(name, N);
    if (!at) return {};
    return values[*at];
  }
  std::optional<duration> milliseconds_of(std::string_view name);
  std::optional<std::vector<std::string>> texts(std::string_view name);  ///< an array of strings
  /// Environment: an array of "K=V", or an object of strings.
  std::optional<std::vector<std::string>> environment(std::string_view name);
  /// An object of strings.
  std::optional<std::vector<std::pair<std::string, std::string>>> pairs(std::string_view name);
  std::optional<options_object> object(std::string_view name);
  /// Of what is a word or an object: which word it is; nothing where it is an object, or wrong, or not there.
  std::optional<std::size_t> word_index(std::string_view name, std::size_t count);
  std::vector<options_object> objects(std::string_view name);  ///< an array of objects
  std::optional<std::string> json(std::string_view name);      ///< any value, as JSON text

  /// Stores the value when it is there.
  template <class T>
  static void into(T& place, std::optional<T>&& value) {
    if (value) place = std::move(*value);
  }

  void complain(std::string_view name, std::string message, errc code = errc::invalid, std::string hint = {});
  /// No name that was not asked for. Called for each object, the inner ones first.
  void finish();

 private:
  // Its value, where it is there, may be so and is named in the table.
  json_view find(std::string_view name, std::initializer_list<option_type> types);
  std::string at(std::string_view name) const;
  void complain_of_range(std::string_view name, const char* what);

  json_view object_;
  const option_set* set_;
  const option_row* row_ = nullptr;  // of the last name that was asked for
  std::string pointer_;
  std::optional<error>* problem_;
  std::vector<std::string> known_;
};

/// An options text: one JSON object. An empty text is the empty object.
class options_text {
 public:
  options_text() = default;
  options_text(const options_text&) = delete;
  options_text& operator=(const options_text&) = delete;

  /// Errors: invalid with the JSON pointer and what is wrong, too_big.
  result<void> parse(std::string_view json);
  /// The whole object, with the options of this set. The set exists.
  options_object root(std::string_view set);
  /// The first problem that a getter or finish met.
  result<void> outcome() const;

 private:
  std::optional<parsed_json> document_;
  std::optional<error> problem_;
};

/// A text that is one JSON array of strings. Errors: invalid.
result<std::vector<std::string>> parse_string_array(std::string_view json, std::string_view name);

}  // namespace berth::capi
