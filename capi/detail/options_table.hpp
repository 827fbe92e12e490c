// SPDX-License-Identifier: Apache-2.0
// The options that the JSON texts of the C ABI may have: options/*.toml as a table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace berth::capi {

enum class option_type {
  text,
  word,  ///< one of `words`
  bool_,
  int_,
  number,
  size,  ///< bytes
  ms,
  texts,
  environment,
  pairs,
  ids,
  object,
  objects,
  word_or_object,
  json,
};

struct option_row {
  std::string_view name;
  option_type type;
  double least, most;              ///< of int_ and number
  std::string_view words;          ///< "a|b|c"
  std::string_view of;             ///< the set of an object
  std::string_view default_json;   ///< empty: none that is a value
  std::string_view default_words;  ///< what holds then
  std::string_view unit;
  bool needed;
  bool restored;  ///< a sandbox that is restored from a snapshot may have one of its own
  std::string_view since;
  std::string_view help;
};

/// One object of options.
struct option_set {
  std::string_view name;
  std::string_view about;
  std::span<const option_row> rows;

  const option_row* find(std::string_view option) const noexcept;
};

/// All of them.
std::span<const option_set> option_sets() noexcept;
/// nullptr: there is none of this name.
const option_set* find_option_set(std::string_view name) noexcept;

/// The one of `known` that was meant by a name that is none of them; empty: none is near enough.
std::string_view nearest_name(const option_set& known, std::string_view name);

/// {"name","about","options":[{"name","type","unit","default",…}]}, or with an empty name ["where",…]. The set exists.
std::string options_json(const option_set& set);
std::string option_sets_json();

}  // namespace berth::capi
