// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/spec_builder.hpp>

#include <charconv>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

/// The value at an RFC 6901 pointer, or null.
inline const json_value* value_at(const json_value& root, std::string_view pointer) {
  const json_value* at = &root;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(raw.size());
    std::string key;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] == '~' && i + 1 < raw.size()) {
        key += raw[++i] == '0' ? '~' : '/';
      } else {
        key += raw[i];
      }
    }
    if (at->IsObject()) {
      const json_value* found = nullptr;
      for (auto m = at->MemberBegin(); m != at->MemberEnd(); ++m)
        if (text_of(m->name) == key) found = &m->value;
      if (found == nullptr) return nullptr;
      at = found;
    } else if (at->IsArray()) {
      rapidjson::SizeType index = 0;
      const auto [end, bad] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (bad != std::errc() || end != key.data() + key.size() || index >= at->Size()) return nullptr;
      at = &(*at)[index];
    } else {
      return nullptr;
    }
  }
  return at;
}

}  // namespace detail

BERTH_DECL spec_builder::spec_builder() : document_(std::make_unique<detail::json_document>()) {
  // 1.1.0 has every field that berth writes, and every runsc takes it.
  detail::edit guard(*document_);
  detail::set_member(*document_, document_->root, "ociVersion", document_->string("1.1.0"));
  guard.keep();
}

BERTH_DECL spec_builder::spec_builder(std::unique_ptr<detail::json_document> document) noexcept
    : document_(std::move(document)) {}
BERTH_DECL spec_builder::spec_builder(spec_builder&&) noexcept = default;
BERTH_DECL spec_builder& spec_builder::operator=(spec_builder&&) noexcept = default;
BERTH_DECL spec_builder::~spec_builder() = default;

BERTH_DECL result<spec_builder> spec_builder::parse(std::string_view json) {
  try {
    auto document = std::make_unique<detail::json_document>();
    BERTH_TRY(document->parse(json));
    return spec_builder(std::move(document));
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  } catch (const detail::rapidjson_assertion& failed) {
    return make_error(errc::internal, "spec", std::string("rapidjson: ") + failed.condition);
  }
}

BERTH_DECL result<spec_builder> spec_builder::clone() const {
  try {
    return parse(to_json());
  } catch (const std::bad_alloc&) {
    return detail::out_of_memory();
  }
}

BERTH_DECL std::string spec_builder::to_json() const {
  std::string out;
  out.reserve(document_->text_size + 2048);  // what berth adds is less, most often
  detail::write_json(out, document_->root, 0);
  return out;
}

BERTH_DECL std::string spec_builder::to_pretty_json() const {
  std::string out;
  detail::write_json(out, document_->root, 4);
  out += '\n';
  return out;
}

BERTH_DECL result<std::string> spec_builder::get(std::string_view pointer) const {
  const detail::json_value* const value = detail::value_at(document_->root, pointer);
  if (value == nullptr) return make_error(errc::not_found, "spec", "the spec has no such value", std::string(pointer));
  std::string out;
  detail::write_json(out, *value, 0);
  return out;
}

BERTH_DECL result<void> spec_builder::apply(std::span<const spec_mutation> mutations) {
  return detail::edit_document(*document_, [&]() -> result<void> {
    for (const spec_mutation& mutation : mutations) BERTH_TRY(mutation(*this));
    return {};
  });
}

BERTH_DECL result<void> spec_builder::apply_erased(result<void> (*call)(void*, spec_builder&), void* group) {
  return detail::edit_document(*document_, [&] { return call(group, *this); });
}

}  // namespace berth
BERTH_HIDDEN_END
