// SPDX-License-Identifier: Apache-2.0
#include "runc_state.hpp"

#include <berth/spec/json.hpp>

#include <cstdint>

namespace berth::guest {

runc_state read_runc_state(std::string_view json) {
  runc_state out;
  const auto parsed = parsed_json::parse(json);
  if (!parsed) return out;
  const json_view state = parsed->root();
  out.memory_cgroup = state["cgroup_paths"]["memory"].text().value_or("");
  out.init = static_cast<pid_t>(state["init_process_pid"].number<std::int64_t>().value_or(0));
  const std::string rootfs(state["config"]["rootfs"].text().value_or(""));
  static constexpr std::string_view merged = "/merged";
  if (rootfs.ends_with(merged)) out.directories.push_back(rootfs.substr(0, rootfs.size() - merged.size()) + "/diff");
  const json_view mounts = state["config"]["mounts"];
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const json_view mount = mounts.at(i);
    const std::string_view kind = mount["device"].text().value_or("");
    if (kind == "bind") out.directories.emplace_back(mount["source"].text().value_or(""));
    if (kind == "tmpfs") out.tmpfs.emplace_back(mount["destination"].text().value_or(""));
  }
  return out;
}

}  // namespace berth::guest
