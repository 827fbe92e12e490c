// SPDX-License-Identifier: Apache-2.0
// JSON that is no runtime-spec, read with the checks that a spec is read with: what runsc prints, records, options.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/text.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

namespace detail {
class json_document;
}

/// A value of a `parsed_json`, which must outlive it, or none. Cheap to copy.
class json_view {
 public:
  enum class kind { none, null, boolean, number, text, array, object };

  json_view() noexcept = default;
  BERTH_DECL kind type() const noexcept;
  explicit operator bool() const noexcept { return value_ != nullptr; }
  bool is_array() const noexcept { return type() == kind::array; }
  bool is_object() const noexcept { return type() == kind::object; }

  /// A member; none when it is absent or null (which Go reads as absent), or this is no object.
  BERTH_DECL json_view operator[](std::string_view key) const noexcept;

  /// How many members or elements there are; 0 for other values.
  BERTH_DECL std::size_t size() const noexcept;
  BERTH_DECL json_view at(std::size_t index) const noexcept;           ///< an element, or a member's value
  BERTH_DECL std::string_view name(std::size_t index) const noexcept;  ///< a member's

  BERTH_DECL std::optional<bool> truth() const noexcept;
  BERTH_DECL std::optional<std::string_view> text() const noexcept;  ///< without NUL
  /// A number as it is written, or empty.
  BERTH_DECL std::string_view digits() const noexcept;
  /// A number that is written as one of this type is, and in its range.
  template <class Number>
  std::optional<Number> number() const noexcept {
    return parse_number<Number>(digits());
  }
  /// The strings of an array; elements that are none are skipped.
  BERTH_DECL std::vector<std::string> texts() const;
  /// The value as JSON on one line; "null" for none.
  BERTH_DECL std::string to_json() const;

 private:
  friend class parsed_json;
  explicit json_view(const void* value) noexcept : value_(value) {}
  const void* value_ = nullptr;
};

/// One JSON value of any schema. Move-only.
class parsed_json {
 public:
  /// Errors, with a JSON pointer: spec_syntax (RFC 8259 in UTF-8), spec_duplicate_key, spec_too_deep, spec_too_large,
  /// spec_nul, spec_number; no_memory.
  BERTH_DECL static result<parsed_json> parse(std::string_view text);

  BERTH_DECL parsed_json(parsed_json&&) noexcept;
  BERTH_DECL parsed_json& operator=(parsed_json&&) noexcept;
  BERTH_DECL ~parsed_json();

  json_view root() const noexcept { return json_view(root_); }

 private:
  BERTH_DECL parsed_json(std::unique_ptr<detail::json_document> document, const void* root) noexcept;
  std::unique_ptr<detail::json_document> document_;
  const void* root_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/json.ipp>
#endif
