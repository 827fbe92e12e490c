// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/spec/detail/section.hpp>
#include <berth/spec/seccomp.hpp>

#include <algorithm>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

inline bool is_syscall_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), is_word_character);
}

inline bool is_seccomp_action(std::string_view action) {
  static constexpr std::string_view known[] = {"SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                                               "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
                                               "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY"};
  return std::find(std::begin(known), std::end(known), action) != std::end(known);
}

inline json_value* find_seccomp(json_document& d) { return find_member(find_member(&d.root, "linux"), "seccomp"); }

}  // namespace detail

BERTH_DECL result<void> spec_seccomp::set(std::string_view profile) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    // In its place within a spec, so that the scan knows the fields and the pointers are those of the spec.
    std::string text = R"({"linux":{"seccomp":)";
    text += profile;
    text += "}}";
    detail::json_document fragment;
    BERTH_TRY(fragment.parse(text));
    const detail::json_value* const parsed = detail::find_seccomp(fragment);
    const detail::json_value* const only = detail::find_member(&fragment.root, "linux");
    // The text could close the braces by itself and bring keys of its own.
    if (parsed == nullptr || !parsed->IsObject() || only->MemberCount() != 1 || fragment.root.MemberCount() != 1)
      return detail::spec_error(errc::spec_type, "a seccomp profile is one JSON object", "/linux/seccomp",
                                "give an object as runtime-spec has it");
    detail::json_value& linux_section = detail::ensure_object(d, d.root, "linux");
    detail::set_value(d, linux_section, "seccomp", detail::deep_copy(d, *parsed));
    return {};
  });
}

BERTH_DECL result<void> spec_seccomp::add(const std::vector<std::string>& syscalls, std::string_view action) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    if (syscalls.empty() || !std::all_of(syscalls.begin(), syscalls.end(), detail::is_syscall_name))
      return detail::spec_error(errc::invalid, "not the names of system calls", "/linux/seccomp/syscalls",
                                "give names such as openat");
    if (!detail::is_seccomp_action(action))
      return detail::spec_error(errc::invalid, "not a seccomp action", "/linux/seccomp/syscalls",
                                "give one such as SCMP_ACT_ALLOW");
    detail::json_value* const seccomp = detail::find_seccomp(d);
    if (seccomp == nullptr || !seccomp->IsObject())
      return detail::spec_error(errc::state, "the spec has no seccomp profile to add to", "/linux/seccomp",
                                "set a profile first");
    detail::json_value rule(detail::rapidjson::kObjectType);
    detail::add_member(d, rule, "names", detail::string_array(d, syscalls));
    detail::add_member(d, rule, "action", d.string(action));
    detail::json_value& rules = detail::ensure_array(d, *seccomp, "syscalls");
    for (const detail::json_value& there : rules.GetArray())
      if (detail::same_json(there, rule)) return {};
    detail::push_back(d, rules, std::move(rule));
    return {};
  });
}

BERTH_DECL result<void> spec_seccomp::remove(std::string_view syscall) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::json_value* const rules = detail::find_member(detail::find_seccomp(d), "syscalls");
    if (rules == nullptr || !rules->IsArray()) return {};
    std::vector<const detail::json_value*> emptied;
    for (detail::json_value& rule : rules->GetArray()) {
      detail::json_value* const names = detail::find_member(&rule, "names");
      if (names == nullptr || !names->IsArray()) continue;
      const bool changed =
          detail::filter_array(d, *names, [&](const detail::json_value& v) { return detail::text_of(v) != syscall; });
      if (changed && names->Empty()) emptied.push_back(&rule);
    }
    detail::filter_array(d, *rules, [&](const detail::json_value& rule) {
      return std::find(emptied.begin(), emptied.end(), &rule) == emptied.end();
    });
    return {};
  });
}

BERTH_DECL result<void> spec_seccomp::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "linux", "seccomp");
    return {};
  });
}

BERTH_DECL bool spec_seccomp::present() const { return detail::find_seccomp(spec_.document()) != nullptr; }

}  // namespace berth
BERTH_HIDDEN_END
