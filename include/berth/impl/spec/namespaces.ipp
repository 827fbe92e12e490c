// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/namespaces.hpp>

#include <algorithm>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline result<void> require_namespace_type(std::string_view type) {
  static constexpr std::string_view known[] = {"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"};
  if (std::find(std::begin(known), std::end(known), type) != std::end(known)) return {};
  return spec_error(errc::invalid, "not a type of namespace: " + std::string(type.substr(0, 64)), "/linux/namespaces",
                    "pid, network, mount, ipc, uts, user, cgroup or time");
}

inline result<void> put_namespace(spec_builder& spec, const spec_namespace& ns, bool replace) {
  json_document& d = spec.document();
  return edit_document(d, [&]() -> result<void> {
    BERTH_TRY(require_namespace_type(ns.type));
    BERTH_TRY(require_text(ns.path, "/linux/namespaces"));
    if (!ns.path.empty() && ns.path.front() != '/')
      return spec_error(errc::spec_path, "a namespace's path is not absolute", "/linux/namespaces",
                        "give it as /run/netns/name is given");
    json_value& list = ensure_array(d, ensure_object(d, d.root, "linux"), "namespaces");
    json_value* first = nullptr;
    for (json_value& v : list.GetArray())
      if (first == nullptr && member_is(&v, "type", ns.type)) first = &v;
    if (first == nullptr) {
      push_back(d, list, json_value(rapidjson::kObjectType));
      first = &list[list.Size() - 1];
      set_text(d, *first, "type", ns.type);
    } else if (!replace) {
      return {};
    }
    if (ns.path.empty()) {
      remove_member(d, *first, "path");
    } else {
      set_text(d, *first, "path", ns.path);
    }
    filter_array(d, list, [&](const json_value& v) { return &v == first || !member_is(&v, "type", ns.type); });
    return {};
  });
}

}  // namespace detail

BERTH_DECL result<void> spec_namespaces::set(const spec_namespace& ns) {
  return detail::put_namespace(spec_, ns, true);
}
BERTH_DECL result<void> spec_namespaces::add(const spec_namespace& ns) {
  return detail::put_namespace(spec_, ns, false);
}

BERTH_DECL result<void> spec_namespaces::remove(std::string_view type) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_namespace_type(type));
    detail::json_value* const list = detail::find_member(detail::find_member(&d.root, "linux"), "namespaces");
    if (list != nullptr && list->IsArray())
      detail::filter_array(d, *list, [&](const detail::json_value& v) { return !detail::member_is(&v, "type", type); });
    return {};
  });
}

BERTH_DECL result<void> spec_namespaces::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "linux", "namespaces");
    return {};
  });
}

BERTH_DECL std::optional<spec_namespace> spec_namespaces::get(std::string_view type) const {
  for (spec_namespace& ns : list())
    if (ns.type == type) return std::move(ns);
  return std::nullopt;
}

BERTH_DECL std::vector<spec_namespace> spec_namespaces::list() const {
  std::vector<spec_namespace> out;
  const detail::json_value* const linux_section = detail::find_member(&spec_.document().root, "linux");
  const detail::json_value* const list = detail::find_member(linux_section, "namespaces");
  if (list == nullptr || !list->IsArray()) return out;
  for (const detail::json_value& v : list->GetArray())
    out.push_back({detail::member_text(&v, "type"), detail::member_text(&v, "path")});
  return out;
}

}  // namespace berth
BERTH_HIDDEN_END
