// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/annotations.hpp>
#include <berth/spec/detail/section.hpp>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline result<void> put_annotation(spec_builder& spec, std::string_view key, std::string_view value, bool replace) {
  json_document& d = spec.document();
  return edit_document(d, [&]() -> result<void> {
    BERTH_TRY(require_text(key, "/annotations"));
    BERTH_TRY(require_text(value, "/annotations"));
    if (key.empty()) return spec_error(errc::invalid, "an annotation's key is empty", "/annotations", "give it a name");
    json_value& annotations = ensure_object(d, d.root, "annotations");
    if (replace || find_member(&annotations, key) == nullptr) set_text(d, annotations, key, value);
    return {};
  });
}

}  // namespace detail

BERTH_DECL result<void> spec_annotations::set(std::string_view key, std::string_view value) {
  return detail::put_annotation(spec_, key, value, true);
}

BERTH_DECL result<void> spec_annotations::add(std::string_view key, std::string_view value) {
  return detail::put_annotation(spec_, key, value, false);
}

BERTH_DECL result<void> spec_annotations::remove(std::string_view key) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "annotations", key);
    return {};
  });
}

BERTH_DECL result<void> spec_annotations::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, {}, "annotations");
    return {};
  });
}

BERTH_DECL std::optional<std::string> spec_annotations::get(std::string_view key) const {
  const detail::json_value* const annotations = detail::find_member(&spec_.document().root, "annotations");
  const detail::json_value* const value = detail::find_member(annotations, key);
  if (value == nullptr || !detail::is_text(*value)) return std::nullopt;
  return std::string(detail::text_of(*value));
}

}  // namespace berth
BERTH_HIDDEN_END
