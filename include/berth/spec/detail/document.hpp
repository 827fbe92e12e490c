// SPDX-License-Identifier: Apache-2.0
// A spec in memory: rapidjson values in an arena, numbers as they were written, and an undo log.
#pragma once

#include <berth/base/result.hpp>
#include <berth/spec/detail/arena.hpp>
#include <berth/spec/detail/rapidjson.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

BERTH_HIDDEN_BEGIN
namespace berth::detail {

using json_value = rapidjson::GenericValue<rapidjson::UTF8<>, arena>;

/// A number is kept as a string of its source text behind this byte, which no string can start with: it is never part of
/// UTF-8. So 2^64, 1.0 and 1E2 come out as they went in.
inline constexpr char number_mark = '\xff';

inline std::string_view text_of(const json_value& v) { return {v.GetString(), v.GetStringLength()}; }
inline bool is_number(const json_value& v) {
  return v.IsString() && v.GetStringLength() != 0 && v.GetString()[0] == number_mark;
}
inline bool is_text(const json_value& v) { return v.IsString() && !is_number(v); }

/// The document. Every change goes through `touch`, so that it can be undone: the arena frees nothing, and therefore
/// putting the old sixteen bytes of a value back brings back all that was beneath it.
class json_document {
 public:
  json_document() : root(rapidjson::kObjectType) {}
  json_document(const json_document&) = delete;
  json_document& operator=(const json_document&) = delete;

  arena memory;
  json_value root;  ///< always an object

  std::size_t text_size = 0;  ///< of the source text: a guess at how long it will be when it is written

  /// Checks a copy of the text as `scan_spec` does and builds the document from it. On an error the document is empty as
  /// before. Throws std::bad_alloc.
  BERTH_DECL result<void> parse(std::string_view json);

  /// To be called before a value that can be reached from the root is overwritten.
  void touch(const json_value& slot) {
    undo_entry entry;
    entry.slot = const_cast<json_value*>(&slot);
    std::memcpy(entry.bytes, static_cast<const void*>(&slot), sizeof(json_value));
    undo_.push_back(entry);
  }

  /// A string in the arena.
  json_value string(std::string_view text) {
    return json_value(text.data(), static_cast<rapidjson::SizeType>(text.size()), memory);
  }
  BERTH_DECL json_value number(std::int64_t n);
  BERTH_DECL json_value unsigned_number(std::uint64_t n);

 private:
  friend class edit;
  struct undo_entry {
    json_value* slot;
    alignas(json_value) unsigned char bytes[sizeof(json_value)];
  };

  std::unique_ptr<char[]> text_;  ///< the source text, which strings point into
  std::vector<undo_entry> undo_;
  int open_edits_ = 0;
};

/// Undoes what was done to the document in its lifetime, unless it was kept. Edits nest.
class edit {
 public:
  explicit edit(json_document& document) noexcept : document_(document), mark_(document.undo_.size()) {
    ++document_.open_edits_;
  }
  edit(const edit&) = delete;
  edit& operator=(const edit&) = delete;
  ~edit() {
    while (!kept_ && document_.undo_.size() > mark_) {
      const auto& entry = document_.undo_.back();
      std::memcpy(static_cast<void*>(entry.slot), entry.bytes, sizeof(json_value));
      document_.undo_.pop_back();
    }
    if (--document_.open_edits_ == 0) document_.undo_.clear();
  }
  void keep() noexcept { kept_ = true; }

 private:
  json_document& document_;
  const std::size_t mark_;
  bool kept_ = false;
};

/// An error made of strings so short that they need no memory.
inline error out_of_memory() { return make_error(errc::no_memory, "spec", "out of memory"); }

/// Runs `change` as one edit: it is kept when the change succeeds, undone when it returns an error or throws.
template <class Change>
result<void> edit_document(json_document& document, Change&& change) {
  try {
    edit guard(document);
    result<void> outcome = change();
    if (outcome) guard.keep();
    return outcome;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const rapidjson_assertion& failed) {
    return make_error(errc::internal, "spec", std::string("rapidjson: ") + failed.condition);
  }
}

/// The member of an object, or null when it is absent or JSON's null (which Go reads as absent), or `object` is no object.
BERTH_DECL json_value* find_member(json_value* object, std::string_view key);
inline const json_value* find_member(const json_value* object, std::string_view key) {
  return find_member(const_cast<json_value*>(object), key);
}

/// Sets or adds a member; returns where it now is. `value` must be in the document's arena.
BERTH_DECL json_value& set_member(json_document& document, json_value& object, std::string_view key,
                                  json_value&& value);

/// The member of this type, made (empty) when it is absent or null: "ensure parent". References to other members of
/// `object` are no longer good afterwards.
BERTH_DECL json_value& ensure_object(json_document& document, json_value& object, std::string_view key);
BERTH_DECL json_value& ensure_array(json_document& document, json_value& object, std::string_view key);

/// Takes a member away, null or not. False when there was none.
BERTH_DECL bool remove_member(json_document& document, json_value& object, std::string_view key);

BERTH_DECL void push_back(json_document& document, json_value& array, json_value&& value);

/// Overwrites a value.
BERTH_DECL void assign(json_document& document, json_value& slot, json_value&& value);

/// A second value of the same bytes, for building a new array around values that stay where they are.
BERTH_DECL json_value same_value(const json_value& value);

/// Replaces the array by one with those elements for which `keep` is true, when that changes anything.
template <class Keep>
bool filter_array(json_document& document, json_value& array, Keep&& keep) {
  rapidjson::SizeType kept = 0;
  for (const json_value& v : array.GetArray()) kept += keep(v) ? 1u : 0u;
  if (kept == array.Size()) return false;
  json_value fresh(rapidjson::kArrayType);
  if (kept != 0) fresh.Reserve(kept, document.memory);
  for (const json_value& v : array.GetArray())
    if (keep(v)) fresh.PushBack(same_value(v), document.memory);
  assign(document, array, std::move(fresh));
  return true;
}

/// Equal in meaning and in order of keys; numbers by their text.
BERTH_DECL bool same_json(const json_value& a, const json_value& b);

/// An array of strings (elements that are not strings are skipped).
BERTH_DECL std::vector<std::string> string_list(const json_value* array);
BERTH_DECL json_value string_array(json_document& document, const std::vector<std::string>& items);

/// Appends the value as JSON: compact with `indent` 0, else one member or element a line, indented by `indent` blanks a
/// level as runc and runsc write it. Needs no stack in proportion to the nesting.
BERTH_DECL void write_json(std::string& out, const json_value& value, int indent = 0);

/// The text of a config.json: indented, or compact where that would be longer than what is read. Errors: spec_too_large.
BERTH_DECL result<std::string> spec_file_text(const json_document& document);

}  // namespace berth::detail
BERTH_HIDDEN_END

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/document.ipp>
#include <berth/impl/spec/write_json.ipp>
#endif
