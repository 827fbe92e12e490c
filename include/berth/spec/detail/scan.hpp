// SPDX-License-Identifier: Apache-2.0
// The one pass over the text that comes before everything else: is it JSON, is it a runtime-spec, is it safe to parse?
#pragma once

#include <berth/base/result.hpp>

#include <cstddef>
#include <string_view>

namespace berth {

/// Longest text of a spec, in bytes.
inline constexpr std::size_t spec_max_bytes = 16u << 20;
/// Deepest nesting of a spec; the document itself is the first level.
inline constexpr int spec_max_depth = 128;
/// Longest number, in bytes of source text.
inline constexpr std::size_t spec_max_number = 64;
/// Largest power of ten in a number's exponent, either way.
inline constexpr int spec_max_exponent = 308;

namespace detail {

struct schema_node;

/// Bytes of readable padding that must follow the text given to `scan_spec`; the first of them must be NUL.
inline constexpr std::size_t scan_padding = 64;

/// Checks `size` bytes at `text`, which are followed by `scan_padding` bytes. It reads each byte once and changes none;
/// only keys that runtime-spec does not name are looked at again, to find duplicates among them. Errors: spec_syntax,
/// spec_duplicate_key, spec_key_case, spec_type, spec_too_deep, spec_too_large, spec_path, spec_nul, spec_number,
/// each with a JSON pointer and a hint; throws std::bad_alloc.
BERTH_DECL result<void> scan_spec(const char* text, std::size_t size);

/// True when `name` is "CAP_" and the name of a capability that Linux 6.x has.
BERTH_DECL bool is_capability(std::string_view name) noexcept;

/// Lexical checks, shared by the scan and the mutations. Each returns null when fine, else what is wrong.
BERTH_DECL const char* check_cwd(std::string_view path) noexcept;
BERTH_DECL const char* check_destination(std::string_view path) noexcept;

/// Returns null for UTF-8 without NUL, else what is wrong.
BERTH_DECL const char* check_text(std::string_view text) noexcept;

}  // namespace detail
}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/text_checks.ipp>
#include <berth/impl/spec/scan.ipp>
#endif
