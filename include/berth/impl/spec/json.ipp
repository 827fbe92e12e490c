// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/free_json.hpp>
#include <berth/spec/json.hpp>

#include <new>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline const json_value& viewed(const void* value) noexcept { return *static_cast<const json_value*>(value); }

}  // namespace detail

BERTH_DECL json_view::kind json_view::type() const noexcept {
  if (value_ == nullptr) return kind::none;
  const detail::json_value& v = detail::viewed(value_);
  if (v.IsNull()) return kind::null;
  if (v.IsBool()) return kind::boolean;
  if (v.IsArray()) return kind::array;
  if (v.IsObject()) return kind::object;
  return detail::is_number(v) ? kind::number : kind::text;
}

BERTH_DECL json_view json_view::operator[](std::string_view key) const noexcept {
  return json_view(value_ == nullptr ? nullptr : detail::find_member(&detail::viewed(value_), key));
}

BERTH_DECL std::size_t json_view::size() const noexcept {
  switch (type()) {
    case kind::array: return detail::viewed(value_).Size();
    case kind::object: return detail::viewed(value_).MemberCount();
    default: return 0;
  }
}

BERTH_DECL json_view json_view::at(std::size_t index) const noexcept {
  if (index >= size()) return {};
  const detail::json_value& v = detail::viewed(value_);
  return json_view(v.IsArray() ? v.Begin() + index : &(v.MemberBegin() + static_cast<std::ptrdiff_t>(index))->value);
}

BERTH_DECL std::string_view json_view::name(std::size_t index) const noexcept {
  if (!is_object() || index >= size()) return {};
  return detail::text_of((detail::viewed(value_).MemberBegin() + static_cast<std::ptrdiff_t>(index))->name);
}

BERTH_DECL std::optional<bool> json_view::truth() const noexcept {
  if (type() != kind::boolean) return std::nullopt;
  return detail::viewed(value_).GetBool();
}

BERTH_DECL std::optional<std::string_view> json_view::text() const noexcept {
  if (type() != kind::text) return std::nullopt;
  return detail::text_of(detail::viewed(value_));
}

BERTH_DECL std::string_view json_view::digits() const noexcept {
  if (type() != kind::number) return {};
  return detail::text_of(detail::viewed(value_)).substr(1);  // behind number_mark
}

BERTH_DECL std::vector<std::string> json_view::texts() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; is_array() && i < size(); ++i)
    if (const auto one = at(i).text()) out.emplace_back(*one);
  return out;
}

BERTH_DECL std::string json_view::to_json() const {
  if (value_ == nullptr) return "null";
  std::string out;
  detail::write_json(out, detail::viewed(value_), 0);
  return out;
}

BERTH_DECL parsed_json::parsed_json(std::unique_ptr<detail::json_document> document, const void* root) noexcept
    : document_(std::move(document)), root_(root) {}
BERTH_DECL parsed_json::parsed_json(parsed_json&&) noexcept = default;
BERTH_DECL parsed_json& parsed_json::operator=(parsed_json&&) noexcept = default;
BERTH_DECL parsed_json::~parsed_json() = default;

BERTH_DECL result<parsed_json> parsed_json::parse(std::string_view text) {
  try {
    auto document = std::make_unique<detail::json_document>();
    auto value = detail::parse_free_json(*document, text);
    if (!value) return std::move(value).error();
    const void* const root = *value;
    return parsed_json(std::move(document), root);
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  } catch (const detail::rapidjson_assertion& failed) {
    return make_error(errc::internal, "spec", std::string("rapidjson: ") + failed.condition);
  }
}

}  // namespace berth
BERTH_HIDDEN_END
