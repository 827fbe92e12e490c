// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/spec/scan.ipp>
#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>

#include <algorithm>
#include <charconv>

BERTH_HIDDEN_BEGIN
namespace berth::detail {

/// Builds rapidjson's document from what the scan has checked. rapidjson's own reader, where its holes are, is not run.
template <class Document>
class document_events {
 public:
  document_events(Document& to, arena& memory) : to_(to), memory_(memory) {}

  void null() { to_.Null(); }
  void boolean(bool b) { to_.Bool(b); }
  void number(std::string_view text) {
    char marked[spec_max_number + 1];  // the scan has refused longer ones
    marked[0] = number_mark;
    std::memcpy(marked + 1, text.data(), text.size());
    to_.String(marked, static_cast<size>(text.size() + 1), true);
  }
  void string(std::string_view raw, bool escaped) {
    if (escaped) raw = unescaped(raw);
    to_.String(raw.data(), static_cast<size>(raw.size()), false);  // stays in the source text or the arena
  }
  void key(std::string_view raw, bool escaped) { string(raw, escaped); }
  void begin_object() { to_.StartObject(); }
  void end_object(std::uint32_t members) { to_.EndObject(members); }
  void begin_array() { to_.StartArray(); }
  void end_array(std::uint32_t elements) { to_.EndArray(elements); }

 private:
  using size = rapidjson::SizeType;

  std::string_view unescaped(std::string_view raw) {
    const std::string text = unescape(raw);
    char* const copy = static_cast<char*>(memory_.Malloc(text.size() + 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  Document& to_;
  arena& memory_;
};

BERTH_DECL result<void> json_document::parse(std::string_view json) {
  if (json.size() > spec_max_bytes)
    return make_error(errc::spec_too_large, "spec", "the spec is larger than 16 MiB", {},
                      "no config.json needs that much");
  // The document's strings stay in this copy of the text, and the scan wants padding behind it.
  text_.reset(new char[json.size() + scan_padding]);
  if (!json.empty()) std::memcpy(text_.get(), json.data(), json.size());
  std::memset(text_.get() + json.size(), 0, scan_padding);
  text_size = json.size();

  memory.reserve(json.size() * 2);
  using document = rapidjson::GenericDocument<rapidjson::UTF8<>, arena, throwing_allocator>;
  throwing_allocator stack;
  document parsed(&memory, 4096, &stack);
  result<void> outcome;
  auto generate = [&](document& to) {
    document_events<document> events(to, memory);
    outcome = scanner<document_events<document>>(text_.get(), json.size(), events).run();
    return outcome.has_value();
  };
  parsed.Populate(generate);
  if (outcome) root = std::move(static_cast<json_value&>(parsed));
  return outcome;
}

BERTH_DECL json_value json_document::number(std::int64_t n) {
  char text[24] = {number_mark};
  char* const end = std::to_chars(text + 1, text + sizeof text, n).ptr;
  return string({text, static_cast<std::size_t>(end - text)});
}

BERTH_DECL json_value json_document::unsigned_number(std::uint64_t n) {
  char text[24] = {number_mark};
  char* const end = std::to_chars(text + 1, text + sizeof text, n).ptr;
  return string({text, static_cast<std::size_t>(end - text)});
}

inline json_value* find_any_member(json_value& object, std::string_view key) {
  for (auto m = object.MemberBegin(), end = object.MemberEnd(); m != end; ++m)
    if (text_of(m->name) == key) return &m->value;
  return nullptr;
}

BERTH_DECL json_value* find_member(json_value* object, std::string_view key) {
  if (object == nullptr || !object->IsObject()) return nullptr;
  json_value* const value = find_any_member(*object, key);
  return value == nullptr || value->IsNull() ? nullptr : value;
}

BERTH_DECL json_value same_value(const json_value& value) {
  json_value copy;
  std::memcpy(static_cast<void*>(&copy), static_cast<const void*>(&value), sizeof copy);
  return copy;
}

BERTH_DECL void assign(json_document& document, json_value& slot, json_value&& value) {
  document.touch(slot);
  slot = std::move(value);
}

BERTH_DECL json_value& set_member(json_document& document, json_value& object, std::string_view key,
                                  json_value&& value) {
  if (json_value* const slot = find_any_member(object, key)) {
    assign(document, *slot, std::move(value));
    return *slot;
  }
  json_value name = document.string(key);
  document.touch(object);
  object.AddMember(name, value, document.memory);
  return (object.MemberEnd() - 1)->value;
}

BERTH_DECL json_value& ensure_object(json_document& document, json_value& object, std::string_view key) {
  json_value* const there = find_member(&object, key);
  if (there != nullptr && there->IsObject()) return *there;
  return set_member(document, object, key, json_value(rapidjson::kObjectType));
}

BERTH_DECL json_value& ensure_array(json_document& document, json_value& object, std::string_view key) {
  json_value* const there = find_member(&object, key);
  if (there != nullptr && there->IsArray()) return *there;
  return set_member(document, object, key, json_value(rapidjson::kArrayType));
}

BERTH_DECL bool remove_member(json_document& document, json_value& object, std::string_view key) {
  if (find_any_member(object, key) == nullptr) return false;
  json_value fresh(rapidjson::kObjectType);
  for (auto m = object.MemberBegin(), end = object.MemberEnd(); m != end; ++m) {
    if (text_of(m->name) == key) continue;
    json_value name = same_value(m->name);
    json_value value = same_value(m->value);
    fresh.AddMember(name, value, document.memory);
  }
  assign(document, object, std::move(fresh));
  return true;
}

BERTH_DECL void push_back(json_document& document, json_value& array, json_value&& value) {
  document.touch(array);
  array.PushBack(value, document.memory);
}

BERTH_DECL bool same_json(const json_value& a, const json_value& b) {
  if (a.GetType() != b.GetType()) return false;
  if (a.IsString()) return text_of(a) == text_of(b);
  if (a.IsArray()) return std::equal(a.Begin(), a.End(), b.Begin(), b.End(), same_json);
  if (!a.IsObject()) return true;
  return std::equal(a.MemberBegin(), a.MemberEnd(), b.MemberBegin(), b.MemberEnd(), [](const auto& x, const auto& y) {
    return text_of(x.name) == text_of(y.name) && same_json(x.value, y.value);
  });
}

BERTH_DECL std::vector<std::string> string_list(const json_value* array) {
  std::vector<std::string> out;
  if (array == nullptr || !array->IsArray()) return out;
  for (const json_value& v : array->GetArray())
    if (is_text(v)) out.emplace_back(text_of(v));
  return out;
}

BERTH_DECL json_value string_array(json_document& document, const std::vector<std::string>& items) {
  json_value array(rapidjson::kArrayType);
  array.Reserve(static_cast<rapidjson::SizeType>(items.size()), document.memory);
  for (const std::string& item : items) array.PushBack(document.string(item), document.memory);
  return array;
}

}  // namespace berth::detail
BERTH_HIDDEN_END
