// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/managed/container_stats.hpp>
#include <berth/impl/managed/ports.ipp>

#include <algorithm>

namespace berth {

BERTH_DECL std::vector<container_stats> parse_running_containers(std::string_view text) {
  std::vector<container_stats> out;
  while (!text.empty() && out.size() < detail::most_containers) {
    std::string_view line = detail::take_until(text, "\n");
    const std::string_view id = detail::take_until(line, "\t");
    // It becomes part of a path.
    if (id.empty() || id.size() > 64 || !std::ranges::all_of(id, is_word_character)) continue;
    container_stats one;
    one.container = std::string(id);
    append_shown(one.name, line);
    out.push_back(std::move(one));
  }
  return out;
}

BERTH_DECL std::optional<std::uint64_t> parse_cgroup_number(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return parse_number<std::uint64_t>(text);
}

BERTH_DECL void write_json(json_writer& to, const std::vector<container_stats>& all) {
  const auto number = [&to](std::string_view key, const std::optional<std::uint64_t>& value) {
    to.key(key);
    if (value) to.unsigned_number(*value);
    else to.null();
  };
  to.open_array();
  for (const container_stats& one : all) {
    to.open_object().key("container").string(one.container).key("name").string(one.name);
    number("memory_bytes", one.memory_bytes);
    number("memory_limit_bytes", one.memory_limit_bytes);
    number("cpu_ns", one.cpu_ns);
    number("processes", one.processes);
    to.close_object();
  }
  to.close_array();
}

}  // namespace berth
