#include "detail/options.hpp"

#include <berth/spec/detail/free_json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace berth::capi {

static constexpr std::size_t max_options_bytes = 16u << 20;

static std::string_view number_text(const detail::json_value& v) { return detail::text_of(v).substr(1); }

static result<const detail::json_value*> parse_options_json(detail::json_document& document, std::string_view json) {
  if (json.size() > max_options_bytes) {
    return make_error(errc::too_big, "capi", "the options are longer than 16 MiB");
  }
  try {
    auto parsed = detail::parse_free_json(document, json);
    if (parsed) return *parsed;
    error why = std::move(parsed).error();
    if (why.code != errc::no_memory && why.code != errc::internal) why.code = errc::invalid;
    why.layer = "capi";
    why.message = "options: " + why.message;
    return why;
  } catch (const detail::rapidjson_assertion& failed) {
    return make_error(errc::internal, "capi", std::string("rapidjson: ") + failed.condition);
  }
}

result<void> options_text::parse(std::string_view json) {
  auto value = parse_options_json(document_, json.empty() ? std::string_view("{}") : json);
  if (!value) return std::move(value).error();
  if (!(*value)->IsObject()) {
    return make_error(errc::invalid, "capi", "options: not a JSON object", {}, "pass {} or NULL for the defaults");
  }
  return {};
}

options_object options_text::root() { return {&document_.root.MemberBegin()->value, "", problem_}; }

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

const detail::json_value* options_object::find(std::string_view name) {
  known_.emplace_back(name);
  return detail::find_member(object_, name);
}

bool options_object::has(std::string_view name) const { return detail::find_member(object_, name) != nullptr; }

static std::optional<std::string> as_text(const detail::json_value& v) {
  if (!detail::is_text(v)) return {};
  std::string text(detail::text_of(v));
  if (text.find('\0') != std::string::npos) return {};
  return text;
}

std::optional<std::string> options_object::text(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  auto t = as_text(*v);
  if (!t) complain(name, "a string without NUL is wanted");
  return t;
}

std::optional<bool> options_object::boolean(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  if (!v->IsBool()) {
    complain(name, "true or false is wanted");
    return {};
  }
  return v->GetBool();
}

template <class T>
static std::optional<T> whole_number(const detail::json_value& v) {
  if (!detail::is_number(v)) return {};
  const std::string_view digits = number_text(v);
  T n{};
  const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (bad != std::errc() || end != digits.data() + digits.size()) return {};
  return n;
}

std::optional<std::int64_t> options_object::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  const auto n = whole_number<std::int64_t>(*v);
  if (!n || *n < least || *n > most) {
    complain(name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most) + " is wanted");
    return {};
  }
  return n;
}

std::optional<std::uint64_t> options_object::unsigned_integer(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  const auto n = whole_number<std::uint64_t>(*v);
  if (!n) complain(name, "a whole number, not negative, is wanted");
  return n;
}

std::optional<std::vector<std::uint32_t>> options_object::ids(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  std::vector<std::uint32_t> out;
  bool good = v->IsArray();
  for (auto e = good ? v->Begin() : nullptr; good && e != v->End(); ++e) {
    const auto n = whole_number<std::uint32_t>(*e);
    good = n.has_value();
    if (n) out.push_back(*n);
  }
  if (good) return out;
  complain(name, "an array of numbers from 0 to 4294967295 is wanted");
  return {};
}

std::optional<double> options_object::number(std::string_view name, double least, double most) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  double n = 0;
  bool good = detail::is_number(*v);
  if (good) {
    const std::string_view digits = number_text(*v);
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    good = bad == std::errc() && end == digits.data() + digits.size() && n >= least && n <= most;
  }
  if (!good) {
    complain(name, "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is wanted");
    return {};
  }
  return n;
}

std::optional<duration> options_object::milliseconds_of(std::string_view name) {
  const auto n = integer(name, 0, std::int64_t{1000} * 86400 * 365);
  if (!n) return {};
  return duration(milliseconds(*n));
}

static std::optional<std::vector<std::string>> as_texts(const detail::json_value& v) {
  if (!v.IsArray()) return {};
  std::vector<std::string> out;
  for (const auto& element : v.GetArray()) {
    auto t = as_text(element);
    if (!t) return {};
    out.push_back(std::move(*t));
  }
  return out;
}

std::optional<std::vector<std::string>> options_object::texts(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  auto out = as_texts(*v);
  if (!out) complain(name, "an array of strings is wanted");
  return out;
}

static std::optional<std::vector<std::pair<std::string, std::string>>> as_pairs(const detail::json_value& v) {
  if (!v.IsObject()) return {};
  std::vector<std::pair<std::string, std::string>> out;
  for (auto m = v.MemberBegin(); m != v.MemberEnd(); ++m) {
    auto key = as_text(m->name);
    auto value = as_text(m->value);
    if (!key || !value) return {};
    out.emplace_back(std::move(*key), std::move(*value));
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> options_object::pairs(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  auto out = as_pairs(*v);
  if (!out) complain(name, "an object of strings is wanted");
  return out;
}

std::optional<std::vector<std::string>> options_object::environment(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  if (v->IsArray()) {
    auto out = as_texts(*v);
    const bool good = out && std::all_of(out->begin(), out->end(), [](const std::string& s) {
                        const std::size_t equals = s.find('=');
                        return equals != std::string::npos && equals != 0;
                      });
    if (good) return out;
  } else if (auto given = as_pairs(*v)) {
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
  const auto* v = find(name);
  if (v == nullptr) return {};
  if (!v->IsObject()) {
    complain(name, "an object is wanted");
    return {};
  }
  return options_object(v, at(name), *problem_);
}

std::vector<options_object> options_object::objects(std::string_view name) {
  const auto* v = find(name);
  std::vector<options_object> out;
  if (v == nullptr) return out;
  if (!v->IsArray()) {
    complain(name, "an array of objects is wanted");
    return out;
  }
  std::size_t i = 0;
  for (const auto& element : v->GetArray()) {
    if (!element.IsObject()) {
      complain(name, "an array of objects is wanted");
      return {};
    }
    out.emplace_back(&element, at(name) + "/" + std::to_string(i++), *problem_);
  }
  return out;
}

std::optional<std::string> options_object::json(std::string_view name) {
  const auto* v = find(name);
  if (v == nullptr) return {};
  std::string out;
  detail::write_json(out, *v, 0);
  return out;
}

void options_object::finish() {
  for (auto m = object_->MemberBegin(); m != object_->MemberEnd(); ++m) {
    const std::string_view name = detail::text_of(m->name);
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string names;
    for (const std::string& k : known_) names += (names.empty() ? "" : ", ") + k;
    complain(name, "there is no such option", errc::invalid, "the options here are: " + names);
    return;
  }
}

result<std::vector<std::string>> parse_string_array(std::string_view json, std::string_view name) {
  detail::json_document document;
  auto value = parse_options_json(document, json);
  if (!value) return std::move(value).error();
  auto out = as_texts(**value);
  if (!out) return make_error(errc::invalid, "capi", std::string(name) + ": a JSON array of strings is wanted");
  return std::move(*out);
}

}  // namespace berth::capi
