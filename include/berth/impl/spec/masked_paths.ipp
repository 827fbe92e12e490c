// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/masked_paths.hpp>

#include <algorithm>

BERTH_HIDDEN_BEGIN
namespace berth {

BERTH_DECL std::vector<std::string> spec_masked_paths::list() const {
  return detail::string_list(detail::find_member(detail::find_member(&spec_.document().root, "linux"), "maskedPaths"));
}

BERTH_DECL result<void> spec_masked_paths::remove(std::span<const std::string_view> paths) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::json_value* const masked = detail::find_member(detail::find_member(&d.root, "linux"), "maskedPaths");
    if (masked != nullptr && masked->IsArray())
      detail::filter_array(d, *masked, [&](const detail::json_value& v) {
        return std::find(paths.begin(), paths.end(), detail::text_of(v)) == paths.end();
      });
    return {};
  });
}

}  // namespace berth
BERTH_HIDDEN_END
