// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/spec/text_checks.ipp>
#include <berth/spec/detail/section.hpp>
#include <berth/spec/resources.hpp>

#include <charconv>
#include <cmath>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline json_value& ensure_resources(json_document& d) {
  return ensure_object(d, ensure_object(d, d.root, "linux"), "resources");
}

inline json_value* find_resources(json_document& d) { return find_member(find_member(&d.root, "linux"), "resources"); }

/// Takes members out of an object within `/linux/resources`, where it is there.
inline result<void> clear_resource(json_document& d, std::string_view object,
                                   std::initializer_list<std::string_view> keys) {
  return edit_document(d, [&]() -> result<void> {
    json_value* const section = find_member(find_resources(d), object);
    if (section == nullptr || !section->IsObject()) return {};
    for (std::string_view key : keys) remove_member(d, *section, key);
    return {};
  });
}

inline result<void> set_resource(json_document& d, std::string_view object, std::string_view key, std::int64_t n,
                                 std::int64_t least, const char* pointer) {
  return edit_document(d, [&]() -> result<void> {
    if (n != -1 && n < least)
      return spec_error(errc::spec_number, "the limit is too small", pointer,
                        "at least " + std::to_string(least) + ", or -1 for no limit");
    json_value& section = ensure_object(d, ensure_resources(d), object);
    set_value(d, section, key, d.number(n));
    return {};
  });
}

}  // namespace detail

BERTH_DECL result<void> spec_resources::set_cpu_quota(std::int64_t quota, std::uint64_t period) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    // The kernel's bounds: kernel/sched/core.c, max_cfs_quota_period and min_cfs_quota_period.
    if (period < 1000 || period > 1000000)
      return detail::spec_error(errc::spec_number, "a cpu period is 1,000 to 1,000,000 microseconds",
                                "/linux/resources/cpu/period", "100,000 is the usual one");
    if (quota != -1 && quota < 1000)
      return detail::spec_error(errc::spec_number, "a cpu quota is at least 1,000 microseconds",
                                "/linux/resources/cpu/quota", "raise it, or give -1 for no limit");
    detail::json_value& cpu = detail::ensure_object(d, detail::ensure_resources(d), "cpu");
    detail::set_value(d, cpu, "quota", d.number(quota));
    detail::set_value(d, cpu, "period", d.unsigned_number(period));
    return {};
  });
}

BERTH_DECL result<void> spec_resources::set_cpus(double cpus) {
  if (!(cpus >= 0.01 && cpus <= 100000))
    return detail::spec_error(errc::spec_number, "a number of cpus is 0.01 to 100,000", "/linux/resources/cpu/quota",
                              "1 is one cpu's time");
  return set_cpu_quota(std::llround(cpus * 100000), 100000);
}

BERTH_DECL result<void> spec_resources::clear_cpu() {
  return detail::clear_resource(spec_.document(), "cpu", {"quota", "period"});
}

BERTH_DECL result<void> spec_resources::set_memory_limit(std::int64_t bytes) {
  return detail::set_resource(spec_.document(), "memory", "limit", bytes, 1, "/linux/resources/memory/limit");
}

BERTH_DECL result<void> spec_resources::clear_memory_limit() {
  return detail::clear_resource(spec_.document(), "memory", {"limit"});
}

BERTH_DECL std::optional<std::int64_t> spec_resources::memory_limit() const {
  const detail::json_value* const memory = detail::find_member(detail::find_resources(spec_.document()), "memory");
  const detail::json_value* const limit = detail::find_member(memory, "limit");
  if (limit == nullptr || !detail::is_number(*limit)) return std::nullopt;
  const std::string_view text = detail::text_of(*limit);
  std::int64_t n = 0;
  std::from_chars(text.data() + 1, text.data() + text.size(), n);
  return n;
}

BERTH_DECL result<void> spec_resources::set_pids_limit(std::int64_t count) {
  return detail::set_resource(spec_.document(), "pids", "limit", count, 1, "/linux/resources/pids/limit");
}

BERTH_DECL result<void> spec_resources::clear_pids_limit() {
  return detail::clear_resource(spec_.document(), "pids", {"limit"});
}

BERTH_DECL result<void> spec_resources::set_unified(std::string_view file, std::string_view value) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_text(file, "/linux/resources/unified"));
    BERTH_TRY(detail::require_text(value, "/linux/resources/unified"));
    if (file.empty() || file.find('/') != std::string_view::npos)
      return detail::spec_error(errc::invalid, "not the name of a cgroup file", "/linux/resources/unified",
                                "give a name such as memory.high");
    detail::set_text(d, detail::ensure_object(d, detail::ensure_resources(d), "unified"), file, value);
    return {};
  });
}

BERTH_DECL result<void> spec_resources::remove_unified(std::string_view file) {
  return detail::clear_resource(spec_.document(), "unified", {file});
}

BERTH_DECL result<void> spec_resources::set_cgroups_path(std::string_view path) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    BERTH_TRY(detail::require_text(path, "/linux/cgroupsPath"));
    if (path.empty() || detail::has_dot_dot(path))
      return detail::spec_error(errc::spec_path, "a cgroup's path is empty or has a `..` in it", "/linux/cgroupsPath",
                                "name a cgroup, such as /berth/id");
    detail::set_text(d, detail::ensure_object(d, d.root, "linux"), "cgroupsPath", path);
    return {};
  });
}

BERTH_DECL result<void> spec_resources::clear_cgroups_path() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "linux", "cgroupsPath");
    return {};
  });
}

BERTH_DECL std::string spec_resources::cgroups_path() const {
  return detail::member_text(detail::find_member(&spec_.document().root, "linux"), "cgroupsPath");
}

BERTH_DECL result<void> spec_resources::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "linux", "resources");
    return {};
  });
}

}  // namespace berth
BERTH_HIDDEN_END
