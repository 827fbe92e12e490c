// SPDX-License-Identifier: Apache-2.0
// JSON that is no runtime-spec, read with the same checks: patches, options.
#pragma once

#include <berth/base/result.hpp>
#include <berth/spec/detail/document.hpp>

#include <string_view>

namespace berth::detail {

/// Parses one JSON value of any schema into `document` and returns it. Checked as a spec is (syntax, UTF-8, keys twice,
/// depth, size, numbers), but for the names and types of runtime-spec. JSON pointers in errors begin at the value.
BERTH_DECL result<const json_value*> parse_free_json(json_document& document, std::string_view json);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/free_json.ipp>
#endif
