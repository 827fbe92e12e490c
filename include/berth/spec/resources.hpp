// SPDX-License-Identifier: Apache-2.0
// Limits on cpu, memory and processes, and the cgroup that they are set on.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace berth {

/// `/linux/resources` and `/linux/cgroupsPath`. These are the host's cgroups, which runsc makes for the sandbox; what
/// is inside has cgroups of its own. A number out of range is spec_number. A handle on a builder, which must outlive
/// it.
class spec_resources {
 public:
  explicit spec_resources(spec_builder& spec) noexcept : spec_(spec) {}

  /// `quota` microseconds of cpu time in every `period` microseconds (1,000 to 1,000,000); a quota of -1 is no limit.
  BERTH_DECL result<void> set_cpu_quota(std::int64_t quota, std::uint64_t period = 100000);
  /// The same said in cpus: 1.5 is a quota of 150,000 in 100,000. At least 0.01.
  BERTH_DECL result<void> set_cpus(double cpus);
  BERTH_DECL result<void> clear_cpu();  ///< quota and period; shares and cpusets stay

  BERTH_DECL result<void> set_memory_limit(std::int64_t bytes);  ///< -1: no limit
  BERTH_DECL result<void> clear_memory_limit();
  BERTH_DECL std::optional<std::int64_t> memory_limit() const;

  BERTH_DECL result<void> set_pids_limit(std::int64_t count);  ///< -1: no limit
  BERTH_DECL result<void> clear_pids_limit();

  /// A cgroup v2 file by name, such as "memory.high"; not empty, without `/`.
  BERTH_DECL result<void> set_unified(std::string_view file, std::string_view value);
  BERTH_DECL result<void> remove_unified(std::string_view file);

  BERTH_DECL result<void> set_cgroups_path(std::string_view path);  ///< not empty, without `..`: spec_path
  BERTH_DECL result<void> clear_cgroups_path();
  BERTH_DECL std::string cgroups_path() const;

  BERTH_DECL result<void> clear();  ///< takes `/linux/resources` away; cgroupsPath stays

 private:
  spec_builder& spec_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/resources.ipp>
#endif
