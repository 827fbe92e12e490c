// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/hostname.hpp>

BERTH_HIDDEN_BEGIN
namespace berth {

BERTH_DECL result<void> spec_hostname::set(std::string_view name) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_text(name, "/hostname"));
    if (name.empty() || name.size() > 64)
      return detail::spec_error(errc::invalid, "a host name has 1 to 64 bytes", "/hostname", "shorten it, or clear it");
    detail::set_text(d, d.root, "hostname", name);
    return {};
  });
}

BERTH_DECL result<void> spec_hostname::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, {}, "hostname");
    return {};
  });
}

BERTH_DECL std::string spec_hostname::get() const { return detail::member_text(&spec_.document().root, "hostname"); }

}  // namespace berth
BERTH_HIDDEN_END
