// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/rlimits.hpp>

#include <algorithm>
#include <charconv>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline result<void> require_rlimit_type(std::string_view type) {
  static constexpr std::string_view known[] = {"RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",        "RLIMIT_DATA",
                                               "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",    "RLIMIT_MSGQUEUE",
                                               "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",      "RLIMIT_RSS",
                                               "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK"};
  if (std::find(std::begin(known), std::end(known), type) != std::end(known)) return {};
  return spec_error(errc::invalid, "not the name of a Linux resource limit: " + std::string(type.substr(0, 64)),
                    "/process/rlimits", "write it as RLIMIT_NOFILE is written");
}

inline std::uint64_t number_member(const json_value& object, std::string_view key) {
  const json_value* const v = find_member(&object, key);
  std::uint64_t n = 0;
  if (v != nullptr && is_number(*v)) {
    const std::string_view text = text_of(*v);
    std::from_chars(text.data() + 1, text.data() + text.size(), n);  // the scan has checked the range
  }
  return n;
}

inline result<void> put_rlimit(spec_builder& spec, const spec_rlimit& limit, bool replace) {
  json_document& d = spec.document();
  return edit_document(d, [&]() -> result<void> {
    BERTH_TRY(require_rlimit_type(limit.type));
    if (limit.soft > limit.hard)
      return spec_error(errc::invalid, "the soft limit is above the hard one", "/process/rlimits",
                        "lower the soft one");
    json_value& limits = ensure_array(d, ensure_object(d, d.root, "process"), "rlimits");
    json_value* first = nullptr;
    for (json_value& v : limits.GetArray())
      if (first == nullptr && member_is(&v, "type", limit.type)) first = &v;
    if (first == nullptr) {
      push_back(d, limits, json_value(rapidjson::kObjectType));
      first = &limits[limits.Size() - 1];
      set_text(d, *first, "type", limit.type);
    } else if (!replace) {
      return {};
    }
    set_value(d, *first, "hard", d.unsigned_number(limit.hard));
    set_value(d, *first, "soft", d.unsigned_number(limit.soft));
    filter_array(d, limits, [&](const json_value& v) { return &v == first || !member_is(&v, "type", limit.type); });
    return {};
  });
}

}  // namespace detail

BERTH_DECL result<void> spec_rlimits::set(const spec_rlimit& limit) { return detail::put_rlimit(spec_, limit, true); }
BERTH_DECL result<void> spec_rlimits::add(const spec_rlimit& limit) { return detail::put_rlimit(spec_, limit, false); }

BERTH_DECL result<void> spec_rlimits::remove(std::string_view type) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_rlimit_type(type));
    detail::json_value* const limits = detail::find_member(detail::find_member(&d.root, "process"), "rlimits");
    if (limits != nullptr && limits->IsArray())
      detail::filter_array(d, *limits,
                           [&](const detail::json_value& v) { return !detail::member_is(&v, "type", type); });
    return {};
  });
}

BERTH_DECL result<void> spec_rlimits::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "process", "rlimits");
    return {};
  });
}

BERTH_DECL std::vector<spec_rlimit> spec_rlimits::list() const {
  std::vector<spec_rlimit> out;
  const detail::json_value* const process = detail::find_member(&spec_.document().root, "process");
  const detail::json_value* const limits = detail::find_member(process, "rlimits");
  if (limits == nullptr || !limits->IsArray()) return out;
  for (const detail::json_value& v : limits->GetArray())
    out.push_back(
        {detail::member_text(&v, "type"), detail::number_member(v, "soft"), detail::number_member(v, "hard")});
  return out;
}

}  // namespace berth
BERTH_HIDDEN_END
