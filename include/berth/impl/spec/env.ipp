// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/env.hpp>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline result<void> require_env_name(std::string_view name) {
  BERTH_TRY(require_text(name, "/process/env"));
  if (name.empty() || name.find('=') != std::string_view::npos)
    return spec_error(errc::invalid, "the name of an environment variable is not empty and has no `=`", "/process/env",
                      "give name and value apart");
  return {};
}

inline bool env_is(const json_value& v, std::string_view name) {
  if (!is_text(v)) return false;
  const std::string_view text = text_of(v);
  return text.starts_with(name) && (text.size() == name.size() || text[name.size()] == '=');
}

inline result<void> put_env(spec_builder& spec, std::string_view name, std::string_view value, bool replace) {
  json_document& d = spec.document();
  return edit_document(d, [&]() -> result<void> {
    BERTH_TRY(require_env_name(name));
    BERTH_TRY(require_text(value, "/process/env"));
    std::string text(name);
    text += '=';
    text += value;
    json_value& env = ensure_array(d, ensure_object(d, d.root, "process"), "env");
    const json_value* first = nullptr;
    for (const json_value& v : env.GetArray())
      if (first == nullptr && env_is(v, name)) first = &v;
    if (first == nullptr) {
      push_back(d, env, d.string(text));
      return {};
    }
    if (!replace) return {};
    if (text_of(*first) != text) assign(d, const_cast<json_value&>(*first), d.string(text));
    filter_array(d, env, [&](const json_value& v) { return &v == first || !env_is(v, name); });
    return {};
  });
}

}  // namespace detail

BERTH_DECL result<void> spec_env::set(std::string_view name, std::string_view value) {
  return detail::put_env(spec_, name, value, true);
}

BERTH_DECL result<void> spec_env::add(std::string_view name, std::string_view value) {
  return detail::put_env(spec_, name, value, false);
}

BERTH_DECL result<void> spec_env::remove(std::string_view name) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_env_name(name));
    detail::json_value* const env = detail::find_member(detail::find_member(&d.root, "process"), "env");
    if (env != nullptr && env->IsArray())
      detail::filter_array(d, *env, [&](const detail::json_value& v) { return !detail::env_is(v, name); });
    return {};
  });
}

BERTH_DECL result<void> spec_env::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "process", "env");
    return {};
  });
}

BERTH_DECL std::optional<std::string> spec_env::get(std::string_view name) const {
  std::optional<std::string> out;
  for (std::string& entry : list())
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      out = entry.substr(name.size() + 1);
  return out;
}

BERTH_DECL std::vector<std::string> spec_env::list() const {
  return detail::string_list(detail::find_member(detail::find_member(&spec_.document().root, "process"), "env"));
}

}  // namespace berth
BERTH_HIDDEN_END
