// SPDX-License-Identifier: Apache-2.0
#include "detail/options.hpp"

#include <berth/spec/byte_size.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace berth::capi {

static constexpr std::size_t max_options_bytes = 16u << 20;

static result<parsed_json> parse_options_json(std::string_view json) {
  if (json.size() > max_options_bytes) {
    return make_error(errc::too_big, "capi", "the options are longer than 16 MiB");
  }
  auto parsed = parsed_json::parse(json);
  if (parsed) return parsed;
  error why = std::move(parsed).error();
  if (why.code != errc::no_memory && why.code != errc::internal) why.code = errc::invalid;
  why.layer = "capi";
  why.message = "options: " + why.message;
  return why;
}

result<void> options_text::parse(std::string_view json) {
  auto parsed = parse_options_json(json.empty() ? std::string_view("{}") : json);
  if (!parsed) return std::move(parsed).error();
  document_ = std::move(*parsed);
  if (!document_->root().is_object()) {
    return make_error(errc::invalid, "capi", "options: not a JSON object", {}, "pass {} or NULL for the defaults");
  }
  return {};
}

options_object options_text::root(std::string_view set) {
  static constexpr option_set none{"", "", {}};
  const option_set* const known = find_option_set(set);
  if (known == nullptr && !problem_)
    problem_ = make_error(errc::internal, "capi", "no set of options is called " + std::string(set));
  return {document_->root(), known == nullptr ? none : *known, "", problem_};
}

result<void> options_text::outcome() const {
  if (problem_) return *problem_;
  return {};
}

std::string options_object::at(std::string_view name) const {
  std::string out = pointer_ + "/";
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void options_object::complain(std::string_view name, std::string message, errc code, std::string hint) {
  if (!*problem_) *problem_ = make_error(code, "capi", "options: " + std::move(message), at(name), std::move(hint));
}

json_view options_object::find(std::string_view name, std::initializer_list<option_type> types) {
  row_ = set_->find(name);
  if (row_ == nullptr || std::find(types.begin(), types.end(), row_->type) == types.end()) {
    complain(name, "the table has no such option of this type in " + std::string(set_->name), errc::internal);
    return {};
  }
  known_.emplace_back(name);
  return object_[name];
}

bool options_object::has(std::string_view name) const { return static_cast<bool>(object_[name]); }

static std::optional<std::string> as_text(json_view v) {
  const auto text = v.text();
  if (!text || text->find('\0') != std::string_view::npos) return {};
  return std::string(*text);
}

std::optional<std::string> options_object::text(std::string_view name) {
  const json_view v = find(name, {option_type::text});
  if (!v) return {};
  auto t = as_text(v);
  if (!t) complain(name, "a string without NUL is wanted");
  return t;
}

std::optional<bool> options_object::boolean(std::string_view name) {
  const json_view v = find(name, {option_type::bool_});
  if (!v) return {};
  const auto b = v.truth();
  if (!b) complain(name, "true or false is wanted");
  return b;
}

// The shortest text that means the same: 4096, not 4096.000000.
static std::string plain(double n) {
  char text[400];
  const bool whole = std::abs(n) < 1e15 && n == std::floor(n);
  const auto written = whole ? std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(n))
                             : std::to_chars(text, text + sizeof text, n);
  return {text, written.ptr};
}

void options_object::complain_of_range(std::string_view name, const char* what) {
  complain(name, std::string(what) + " from " + plain(row_->least) + " to " + plain(row_->most) + " is wanted");
}

std::optional<std::int64_t> options_object::integer(std::string_view name) {
  const json_view v = find(name, {option_type::int_});
  if (!v) return {};
  const auto n = v.number<std::int64_t>();
  if (!n || static_cast<double>(*n) < row_->least || static_cast<double>(*n) > row_->most) {
    complain_of_range(name, "a whole number");
    return {};
  }
  return n;
}

std::optional<std::size_t> options_object::word_index(std::string_view name, std::size_t count) {
  const json_view v = find(name, {option_type::word, option_type::word_or_object});
  if (!v || (row_->type == option_type::word_or_object && v.is_object())) return {};
  const auto given = v.text();
  std::string listed;
  std::string_view words = row_->words;
  std::optional<std::size_t> found;
  std::size_t i = 0;
  for (; !words.empty(); ++i) {
    const std::string_view word = words.substr(0, words.find('|'));
    if (given && *given == word) found = i;
    const bool last = word.size() == words.size();
    listed += (i == 0 ? "\"" : last ? " or \"" : ", \"") + std::string(word) + "\"";
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
  if (i != count) complain(name, "the table has other words than its reader", errc::internal);
  else if (!found && row_->type == option_type::word_or_object) complain(name, listed + ", or an object, is wanted");
  else if (!found) complain(name, listed + " is wanted");
  else return found;
  return {};
}

std::optional<std::uint64_t> options_object::size(std::string_view name) {
  const json_view v = find(name, {option_type::size});
  if (!v) return {};
  if (const auto text = v.text()) {
    auto bytes = parse_byte_size(*text);
    if (bytes) return *bytes;
    complain(name, bytes.error().message, errc::invalid, bytes.error().hint);
    return {};
  }
  const auto n = v.number<std::uint64_t>();
  if (!n) complain(name, "a number of bytes, or a size as \"2Gi\", is wanted");
  return n;
}

std::optional<std::vector<std::uint32_t>> options_object::ids(std::string_view name) {
  const json_view v = find(name, {option_type::ids});
  if (!v) return {};
  std::vector<std::uint32_t> out;
  bool good = v.is_array();
  for (std::size_t i = 0; good && i < v.size(); ++i) {
    const auto n = v.at(i).number<std::uint32_t>();
    good = n.has_value();
    if (n) out.push_back(*n);
  }
  if (good) return out;
  complain(name, "an array of numbers from 0 to 4294967295 is wanted");
  return {};
}

std::optional<double> options_object::number(std::string_view name) {
  const json_view v = find(name, {option_type::number});
  if (!v) return {};
  const auto n = v.number<double>();
  if (!n || !(*n >= row_->least && *n <= row_->most)) {
    complain_of_range(name, "a number");
    return {};
  }
  return n;
}

std::optional<duration> options_object::milliseconds_of(std::string_view name) {
  static constexpr std::int64_t most = std::int64_t{1000} * 86400 * 365;  // a year
  const json_view v = find(name, {option_type::ms});
  if (!v) return {};
  const auto n = v.number<std::int64_t>();
  if (n && *n >= 0 && *n <= most) return duration(milliseconds(*n));
  complain(name, "a whole number of milliseconds from 0 to " + std::to_string(most) + " is wanted");
  return {};
}

static std::optional<std::vector<std::string>> as_texts(json_view v) {
  if (!v.is_array()) return {};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < v.size(); ++i) {
    auto t = as_text(v.at(i));
    if (!t) return {};
    out.push_back(std::move(*t));
  }
  return out;
}

std::optional<std::vector<std::string>> options_object::texts(std::string_view name) {
  const json_view v = find(name, {option_type::texts});
  if (!v) return {};
  auto out = as_texts(v);
  if (!out) complain(name, "an array of strings is wanted");
  return out;
}

static std::optional<std::vector<std::pair<std::string, std::string>>> as_pairs(json_view v) {
  if (!v.is_object()) return {};
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const std::string_view key = v.name(i);
    auto value = as_text(v.at(i));
    if (key.find('\0') != std::string_view::npos || !value) return {};
    out.emplace_back(key, std::move(*value));
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> options_object::pairs(std::string_view name) {
  const json_view v = find(name, {option_type::pairs});
  if (!v) return {};
  auto out = as_pairs(v);
  if (!out) complain(name, "an object of strings is wanted");
  return out;
}

std::optional<std::vector<std::string>> options_object::environment(std::string_view name) {
  const json_view v = find(name, {option_type::environment});
  if (!v) return {};
  if (v.is_array()) {
    auto out = as_texts(v);
    const bool good = out && std::all_of(out->begin(), out->end(), [](const std::string& s) {
                        const std::size_t equals = s.find('=');
                        return equals != std::string::npos && equals != 0;
                      });
    if (good) return out;
  } else if (auto given = as_pairs(v)) {
    std::vector<std::string> out;
    bool good = true;
    for (auto& [key, value] : *given) {
      good = good && !key.empty() && key.find('=') == std::string::npos;
      out.push_back(key + "=" + value);
    }
    if (good) return out;
  }
  complain(name, "an array of \"NAME=value\" or an object of strings is wanted");
  return {};
}

std::optional<options_object> options_object::object(std::string_view name) {
  const json_view v = find(name, {option_type::object, option_type::word_or_object});
  if (!v) return {};
  if (!v.is_object()) {
    complain(name, "an object is wanted");
    return {};
  }
  return options_object(v, *find_option_set(row_->of), at(name), *problem_);
}

std::vector<options_object> options_object::objects(std::string_view name) {
  const json_view v = find(name, {option_type::objects});
  std::vector<options_object> out;
  if (!v) return out;
  if (!v.is_array()) {
    complain(name, "an array of objects is wanted");
    return out;
  }
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (!v.at(i).is_object()) {
      complain(name, "an array of objects is wanted");
      return {};
    }
    out.emplace_back(v.at(i), *find_option_set(row_->of), at(name) + "/" + std::to_string(i), *problem_);
  }
  return out;
}

std::optional<std::string> options_object::json(std::string_view name) {
  const json_view v = find(name, {option_type::json, option_type::object});
  if (!v) return {};
  return v.to_json();
}

void options_object::finish() {
  for (std::size_t i = 0; i < object_.size(); ++i) {
    const std::string_view name = object_.name(i);
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (set_->find(name) != nullptr) {
      complain(name, "this option does not go with the others");
      return;
    }
    const std::string_view meant = nearest_name(*set_, name);
    std::string names;
    for (const std::string& k : known_) names += (names.empty() ? "" : ", ") + k;
    complain(name, "there is no such option", errc::invalid,
             meant.empty() ? "the options here are: " + names
                           : "did you mean " + std::string(meant) + "? the options here are: " + names);
    return;
  }
}

result<std::vector<std::string>> parse_string_array(std::string_view json, std::string_view name) {
  auto parsed = parse_options_json(json);
  if (!parsed) return std::move(parsed).error();
  auto out = as_texts(parsed->root());
  if (!out) return make_error(errc::invalid, "capi", std::string(name) + ": a JSON array of strings is wanted");
  return std::move(*out);
}

}  // namespace berth::capi
