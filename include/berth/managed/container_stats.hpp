// SPDX-License-Identifier: Apache-2.0
// What a sandbox's containers take: what `docker stats` would tell, which has zeros for all of it in gVisor, whose links have no
// statistics (20260905.0), for which dockerd drops the whole sample. The sandbox's cgroups have the rest.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// One container that runs. What the sandbox says: hostile. Nothing where it does not tell.
struct container_stats {
  std::string container;                            ///< its id in Docker
  std::string name;                                 ///< in Docker
  std::optional<std::uint64_t> memory_bytes;        ///< of its processes, and of what they have written to a tmpfs
  std::optional<std::uint64_t> memory_limit_bytes;  ///< none: it has none
  std::optional<std::uint64_t> cpu_ns;              ///< processor time since it began
  std::optional<std::uint64_t> processes;
};

/// [{"container","name","memory_bytes","memory_limit_bytes","cpu_ns","processes"}]; a number that is not known is null.
BERTH_DECL void write_json(json_writer& to, const std::vector<container_stats>& all);

/// Reads a line for each container, "ID\tNAME". What is none, and what goes beyond 4096, is passed over. Pure.
BERTH_DECL std::vector<container_stats> parse_running_containers(std::string_view text);

/// The number that stands in a file of a cgroup, and a line's end; nothing where it is none. Pure.
BERTH_DECL std::optional<std::uint64_t> parse_cgroup_number(std::string_view text);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/container_stats.ipp>
#endif
