// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/spec/detail/section.hpp>
#include <berth/spec/process.hpp>

BERTH_HIDDEN_BEGIN
namespace berth {
namespace detail {

/// Runs `change(process)` as one edit, with `/process` made where it is absent.
template <class Change>
result<void> edit_process(spec_builder& spec, Change change) {
  json_document& d = spec.document();
  return edit_document(d, [&]() -> result<void> { return change(d, ensure_object(d, d.root, "process")); });
}

inline const json_value* process_member(const spec_builder& spec, std::string_view key) {
  return find_member(find_member(&spec.document().root, "process"), key);
}

}  // namespace detail

BERTH_DECL result<void> spec_process::set_args(const std::vector<std::string>& args) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    if (args.empty())
      return detail::spec_error(errc::invalid, "a process has at least one argument", "/process/args",
                                "name a program");
    for (const std::string& arg : args) BERTH_TRY(detail::require_text(arg, "/process/args"));
    detail::set_value(d, process, "args", detail::string_array(d, args));
    return {};
  });
}

BERTH_DECL result<void> spec_process::add_arg(std::string_view arg) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    BERTH_TRY(detail::require_text(arg, "/process/args"));
    detail::push_back(d, detail::ensure_array(d, process, "args"), d.string(arg));
    return {};
  });
}

BERTH_DECL result<void> spec_process::clear_args() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "process", "args");
    return {};
  });
}

BERTH_DECL std::vector<std::string> spec_process::args() const {
  return detail::string_list(detail::process_member(spec_, "args"));
}

BERTH_DECL result<void> spec_process::check_present() const {
  const detail::json_value* const process = detail::find_member(&spec_.document().root, "process");
  if (process == nullptr)
    return detail::spec_error(errc::invalid, "the spec has no process: runsc starts nothing without", "/process",
                              "give it process.args, the program that the sandbox starts with");
  const detail::json_value* const args = detail::find_member(process, "args");
  if (args == nullptr || !args->IsArray() || args->Empty())
    return detail::spec_error(errc::invalid, "the spec's process has no arguments: runsc starts nothing without",
                              "/process/args", "name the program that the sandbox starts with");
  return {};
}

BERTH_DECL result<void> spec_process::set_cwd(std::string_view path) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    BERTH_TRY(detail::require_text(path, "/process/cwd"));
    const char* const wrong = path.empty() ? "the working directory is empty" : detail::check_cwd(path);
    if (wrong != nullptr)
      return detail::spec_error(errc::spec_path, wrong, "/process/cwd", "give an absolute path outside of /proc");
    detail::set_text(d, process, "cwd", path);
    return {};
  });
}

BERTH_DECL std::string spec_process::cwd() const {
  return detail::member_text(detail::find_member(&spec_.document().root, "process"), "cwd");
}

BERTH_DECL result<void> spec_process::set_user(std::uint32_t uid, std::uint32_t gid) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    detail::json_value& user = detail::ensure_object(d, process, "user");
    detail::set_value(d, user, "uid", d.unsigned_number(uid));
    detail::set_value(d, user, "gid", d.unsigned_number(gid));
    return {};
  });
}

BERTH_DECL result<void> spec_process::add_group(std::uint32_t gid) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    detail::json_value value = d.unsigned_number(gid);
    detail::json_value& user = detail::ensure_object(d, process, "user");
    detail::json_value& groups = detail::ensure_array(d, user, "additionalGids");
    for (const detail::json_value& there : groups.GetArray())
      if (detail::same_json(there, value)) return {};
    detail::push_back(d, groups, std::move(value));
    return {};
  });
}

BERTH_DECL result<void> spec_process::remove_group(std::uint32_t gid) {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::json_value* const process = detail::find_member(&d.root, "process");
    detail::json_value* const groups = detail::find_member(detail::find_member(process, "user"), "additionalGids");
    if (groups == nullptr || !groups->IsArray()) return {};
    const detail::json_value value = d.unsigned_number(gid);
    detail::filter_array(d, *groups, [&](const detail::json_value& v) { return !detail::same_json(v, value); });
    return {};
  });
}

BERTH_DECL result<void> spec_process::clear_groups() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::json_value* const user = detail::find_member(detail::find_member(&d.root, "process"), "user");
    if (user != nullptr && user->IsObject()) detail::remove_member(d, *user, "additionalGids");
    return {};
  });
}

BERTH_DECL result<void> spec_process::set_terminal(bool on) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    detail::set_flag(d, process, "terminal", on);
    return {};
  });
}

BERTH_DECL result<void> spec_process::set_no_new_privileges(bool on) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    detail::set_flag(d, process, "noNewPrivileges", on);
    return {};
  });
}

BERTH_DECL bool spec_process::no_new_privileges() const {
  const detail::json_value* const flag = detail::process_member(spec_, "noNewPrivileges");
  return flag != nullptr && flag->IsTrue();
}

BERTH_DECL result<void> spec_process::set_oom_score_adj(int score) {
  return detail::edit_process(spec_, [&](detail::json_document& d, detail::json_value& process) -> result<void> {
    if (score < -1000 || score > 1000)
      return detail::spec_error(errc::spec_number, "an OOM score adjustment is -1000 to 1000", "/process/oomScoreAdj",
                                "give one in that range");
    detail::set_value(d, process, "oomScoreAdj", d.number(score));
    return {};
  });
}

BERTH_DECL result<void> spec_process::clear_oom_score_adj() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, "process", "oomScoreAdj");
    return {};
  });
}

BERTH_DECL result<void> spec_process::clear() {
  detail::json_document& d = spec_.document();
  return detail::edit_document(d, [&]() -> result<void> {
    detail::remove_from(d, {}, "process");
    return {};
  });
}

}  // namespace berth
BERTH_HIDDEN_END
