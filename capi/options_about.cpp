// SPDX-License-Identifier: Apache-2.0
// Telling which options there are.
#include "detail/guard.hpp"
#include "detail/options_table.hpp"

#include <berth/base/json_writer.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace berth::capi {

const option_row* option_set::find(std::string_view option) const noexcept {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const option_row& row) { return row.name == option; });
  return found == rows.end() ? nullptr : &*found;
}

const option_set* find_option_set(std::string_view name) noexcept {
  const auto all = option_sets();
  const auto found = std::find_if(all.begin(), all.end(), [&](const option_set& set) { return set.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// How many characters have to be put in, taken out or changed to make one of the other.
static std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t k = 0; k < b.size(); ++k) {
      const std::size_t changed = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({changed, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

std::string_view nearest_name(const option_set& known, std::string_view name) {
  if (name.size() > 64) return {};  // the caller's text: no long search in it
  std::string_view nearest;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const option_row& row : known.rows) {
    // "memory" for "memory_bytes" and "timeout" for "ready_timeout_ms" are more than a slip away.
    const bool inside = name.size() >= 4 && row.name.find(name) != std::string_view::npos;
    const std::size_t far = inside ? 1 : distance(name, row.name);
    if (far < least) {
      least = far;
      nearest = row.name;
    }
  }
  return nearest;
}

static std::string_view type_name(option_type type) {
  switch (type) {
    case option_type::text:
    case option_type::word: return "string";
    case option_type::bool_: return "boolean";
    case option_type::int_:
    case option_type::size:
    case option_type::ms: return "integer";
    case option_type::number: return "number";
    case option_type::texts: return "strings";
    case option_type::environment: return "environment";
    case option_type::pairs: return "string_map";
    case option_type::ids: return "integers";
    case option_type::object: return "object";
    case option_type::objects: return "objects";
    case option_type::word_or_object: return "string_or_object";
    case option_type::json: break;
  }
  return "json";
}

static void write_words(json_writer& out, std::string_view words) {
  out.open_array();
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find('|'));
    out.string(word);
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  out.close_array();
}

std::string options_json(const option_set& set) {
  json_writer out;
  out.open_object().key("name").string(set.name).key("about").string(set.about).key("options").open_array();
  for (const option_row& row : set.rows) {
    out.open_object().key("name").string(row.name).key("type").string(type_name(row.type));
    if (!row.unit.empty()) out.key("unit").string(row.unit);
    if (!row.words.empty()) {
      out.key("words");
      write_words(out, row.words);
    }
    // Beyond that a limit is only that of the type, and no double has it exactly.
    if ((row.type == option_type::int_ || row.type == option_type::number) && row.most < 1e15)
      out.key("least").real(row.least).key("most").real(row.most);
    if (!row.of.empty()) out.key("of").string(row.of);
    if (!row.default_json.empty()) out.key("default").raw(row.default_json);
    if (!row.default_words.empty()) out.key("default_is").string(row.default_words);
    out.key("needed").boolean(row.needed);
    if (row.restored) out.key("restored").boolean(true);
    out.key("since").string(row.since).key("help").string(row.help).close_object();
  }
  return out.close_array().close_object().take();
}

std::string option_sets_json() {
  json_writer out;
  out.open_array();
  for (const option_set& set : option_sets()) out.string(set.name);
  return out.close_array().take();
}

}  // namespace berth::capi

berth_status berth_options_json(const char* set, size_t set_len, berth_buffer** json, berth_error** err) {
  namespace capi = berth::capi;
  return capi::guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(capi::clear_out(json, "json"));
    BERTH_TEXT(name, set, set_len);
    if (name.empty()) {
      *json = capi::make_buffer_handle(capi::option_sets_json());
      return {};
    }
    const capi::option_set* const found = capi::find_option_set(name);
    if (found == nullptr)
      return berth::make_error(berth::errc::not_found, "capi", "there are no options of this name", "set",
                               "with an empty name it gives those that there are");
    *json = capi::make_buffer_handle(capi::options_json(*found));
    return {};
  });
}
