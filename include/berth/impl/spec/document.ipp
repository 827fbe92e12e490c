#pragma once

#include <berth/spec/detail/document.hpp>
#include <berth/spec/detail/scan.hpp>

#include <algorithm>
#include <charconv>

BERTH_HIDDEN_BEGIN
namespace berth::detail {

/// Hands rapidjson's events on to its document, numbers marked.
template <class Document>
struct marking_handler {
  Document& to;
  using size = rapidjson::SizeType;

  bool Null() { return to.Null(); }
  bool Bool(bool b) { return to.Bool(b); }
  bool RawNumber(const char* text, size length, bool) {
    char marked[spec_max_number + 1];
    marked[0] = number_mark;
    std::memcpy(marked + 1, text, length);  // the scan has refused longer ones
    return to.String(marked, length + 1, true);
  }
  bool String(const char* text, size length, bool copy) { return to.String(text, length, copy); }
  bool StartObject() { return to.StartObject(); }
  bool Key(const char* text, size length, bool copy) { return to.Key(text, length, copy); }
  bool EndObject(size count) { return to.EndObject(count); }
  bool StartArray() { return to.StartArray(); }
  bool EndArray(size count) { return to.EndArray(count); }
  // Never called with kParseNumbersAsStringsFlag, but rapidjson's reader names them.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
};

BERTH_DECL result<void> json_document::parse(std::string_view json) {
  if (json.size() > spec_max_bytes)
    return make_error(errc::spec_too_large, "spec", "the spec is larger than 16 MiB", {}, "no config.json needs that much");
  // One copy of the text: the scan wants padding behind it, and rapidjson unescapes in place.
  text_.reset(new char[json.size() + scan_padding]);
  std::copy(json.begin(), json.end(), text_.get());
  std::fill_n(text_.get() + json.size(), scan_padding, '\0');
  BERTH_TRY(scan_spec(text_.get(), json.size()));

  memory.reserve(json.size() * 2);
  using document = rapidjson::GenericDocument<rapidjson::UTF8<>, arena, throwing_allocator>;
  using reader = rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, throwing_allocator>;
  throwing_allocator stack;
  document parsed(&memory, 4096, &stack);
  bool ok = false;
  auto generate = [&](document& to) {
    rapidjson::InsituStringStream stream(text_.get());
    marking_handler<document> handler{to};
    reader read(&stack, 256);
    constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
    ok = !read.template Parse<flags>(stream, handler).IsError();
    return ok;
  };
  parsed.Populate(generate);
  if (!ok || !parsed.IsObject())
    return make_error(errc::internal, "spec", "rapidjson refuses what the scan let through", {}, "report the spec");
  root = std::move(static_cast<json_value&>(parsed));
  return {};
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
