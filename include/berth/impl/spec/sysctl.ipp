// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/sysctl.hpp>

BERTH_HIDDEN_BEGIN
namespace berth {

BERTH_DECL std::vector<std::pair<std::string, std::string>> spec_sysctl::list() const {
  std::vector<std::pair<std::string, std::string>> out;
  const detail::json_value* const linux_section = detail::find_member(&spec_.document().root, "linux");
  const detail::json_value* const map = detail::find_member(linux_section, "sysctl");
  if (map == nullptr || !map->IsObject()) return out;
  for (auto m = map->MemberBegin(); m != map->MemberEnd(); ++m)
    if (detail::is_text(m->value)) out.emplace_back(detail::text_of(m->name), detail::text_of(m->value));
  return out;
}

BERTH_DECL result<void> spec_sysctl::remove(std::string_view name) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::json_value* const map = detail::find_member(detail::find_member(&d.root, "linux"), "sysctl");
    if (map != nullptr && map->IsObject()) detail::remove_member(d, *map, name);
    return {};
  });
}

}  // namespace berth
BERTH_HIDDEN_END
