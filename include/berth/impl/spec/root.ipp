// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/root.hpp>

BERTH_HIDDEN_BEGIN
namespace berth {

BERTH_DECL result<void> spec_root::set_path(std::string_view path) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_text(path, "/root/path"));
    if (path.empty())
      return detail::spec_error(errc::spec_path, "the root's path is empty", "/root/path", "name a directory");
    detail::set_text(d, detail::ensure_object(d, d.root, "root"), "path", path);
    return {};
  });
}

BERTH_DECL result<void> spec_root::set_readonly(bool on) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    if (readonly() != on) detail::set_flag(d, detail::ensure_object(d, d.root, "root"), "readonly", on);
    return {};
  });
}

BERTH_DECL result<void> spec_root::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, {}, "root");
    return {};
  });
}

BERTH_DECL std::string spec_root::path() const {
  return detail::member_text(detail::find_member(&spec_.document().root, "root"), "path");
}

BERTH_DECL bool spec_root::readonly() const {
  const detail::json_value* const root = detail::find_member(&spec_.document().root, "root");
  const detail::json_value* const flag = detail::find_member(root, "readonly");
  return flag != nullptr && flag->IsTrue();
}

}  // namespace berth
BERTH_HIDDEN_END
