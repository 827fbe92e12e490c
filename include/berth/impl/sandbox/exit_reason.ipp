// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>
#include <berth/impl/sandbox/host_resources.ipp>
#include <berth/sandbox/exit_reason.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL std::string_view exit_reason_name(exit_reason reason) noexcept {
  switch (reason) {
    case exit_reason::none: return "";
    case exit_reason::ended: return "ended";
    case exit_reason::out_of_memory: return "out_of_memory";
  }
  return "";
}

namespace detail {

BERTH_DECL std::optional<std::uint64_t> parse_oom_kills(std::string_view text) {
  constexpr std::string_view key = "oom_kill ";
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(key)) return parse_number<std::uint64_t>(line.substr(key.size()));
  }
  return std::nullopt;
}

BERTH_DECL error not_running_error(const sandbox_record& record, std::string otherwise, std::string hint) {
  if (find_exit_reason(record) != exit_reason::out_of_memory)
    return make_error(errc::sandbox_not_running, "sandbox", std::move(otherwise), record.id, std::move(hint));
  return make_error(errc::sandbox_not_running, "sandbox",
                    "the sandbox was killed at its memory limit of " + std::to_string(record.memory_bytes >> 20) +
                        " MiB (out_of_memory)",
                    record.id,
                    "give it more memory: the limit is for all that runs inside, tmpfs and Docker's images included");
}

}  // namespace detail

BERTH_DECL std::uint64_t count_memory_kills(const sandbox_record& record) {
  if (record.memory_bytes == 0) return 0;
  const auto mounts = detail::cgroup_mounts();
  if (!mounts) return 0;
  for (const std::string& mount : *mounts) {
    for (const char* file : {"/memory.oom_control", "/memory.events"}) {
      const auto kills = detail::parse_oom_kills(read_system_file(mount + record.cgroups_path() + file));
      if (kills.value_or(0) > 0) return *kills;
    }
  }
  return 0;
}

BERTH_DECL exit_reason find_exit_reason(const sandbox_record& record) {
  if (record.damaged || record.phase == record_phase::creating || record.boot_id != read_boot_id() || record.lives()) {
    return exit_reason::none;
  }
  if (count_memory_kills(record) > 0) return exit_reason::out_of_memory;
  return exit_reason::ended;
}

}  // namespace berth
