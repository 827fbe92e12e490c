// SPDX-License-Identifier: Apache-2.0
// What the sections have in common.
#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>
#include <berth/spec/spec_builder.hpp>

#include <string>
#include <string_view>

BERTH_HIDDEN_BEGIN
namespace berth::detail {

inline error spec_error(errc code, std::string message, std::string_view pointer, std::string_view hint) {
  return make_error(code, "spec", std::move(message), std::string(pointer), std::string(hint));
}

/// A string that may go into the document: UTF-8 without NUL.
inline result<void> require_text(std::string_view text, std::string_view pointer) {
  if (const char* wrong = check_text(text))
    return spec_error(text.find('\0') != std::string_view::npos ? errc::spec_nul : errc::spec_syntax, wrong, pointer,
                      "JSON and Linux take UTF-8 without NUL");
  if (text.size() > spec_max_bytes)
    return spec_error(errc::spec_too_large, "a string is larger than 16 MiB", pointer, "shorten it");
  return {};
}

inline std::string member_text(const json_value* object, std::string_view key) {
  const json_value* const v = find_member(object, key);
  return v != nullptr && is_text(*v) ? std::string(text_of(*v)) : std::string();
}

inline bool member_is(const json_value* object, std::string_view key, std::string_view text) {
  const json_value* const v = find_member(object, key);
  return v != nullptr && is_text(*v) && text_of(*v) == text;
}

/// Sets a member unless it has this very value already.
inline void set_value(json_document& document, json_value& object, std::string_view key, json_value&& value) {
  const json_value* const there = find_member(&object, key);
  if (there != nullptr && same_json(*there, value)) return;
  set_member(document, object, key, std::move(value));
}

inline void set_text(json_document& document, json_value& object, std::string_view key, std::string_view text) {
  if (!member_is(&object, key, text)) set_member(document, object, key, document.string(text));
}

inline void set_flag(json_document& document, json_value& object, std::string_view key, bool on) {
  const json_value* const there = find_member(&object, key);
  if (there == nullptr || !there->IsBool() || there->GetBool() != on) set_member(document, object, key, json_value(on));
}

/// For a new object that is not in the document yet. Names are copied like all strings: the writer reads them 16 bytes
/// at a time, which is not allowed beyond the end of a literal.
inline void add_member(json_document& document, json_value& object, std::string_view key, json_value&& value) {
  json_value name = document.string(key);
  object.AddMember(name, value, document.memory);
}

/// Takes `key` out of the object at `parent` (a top-level key), or out of the document when `parent` is empty.
inline void remove_from(json_document& document, std::string_view parent, std::string_view key) {
  json_value* const object = parent.empty() ? &document.root : find_member(&document.root, parent);
  if (object != nullptr && object->IsObject()) remove_member(document, *object, key);
}

/// A deep copy into the document's arena, strings included. As deep as the scan lets anything be.
inline json_value deep_copy(json_document& document, const json_value& from) {
  if (from.IsString()) return document.string(text_of(from));
  if (from.IsArray()) {
    json_value array(rapidjson::kArrayType);
    array.Reserve(from.Size(), document.memory);
    for (const json_value& v : from.GetArray()) array.PushBack(deep_copy(document, v), document.memory);
    return array;
  }
  if (from.IsObject()) {
    json_value object(rapidjson::kObjectType);
    for (auto m = from.MemberBegin(); m != from.MemberEnd(); ++m) {
      json_value name = document.string(text_of(m->name));
      json_value value = deep_copy(document, m->value);
      object.AddMember(name, value, document.memory);
    }
    return object;
  }
  return same_value(from);  // null, true, false
}

}  // namespace berth::detail
BERTH_HIDDEN_END
