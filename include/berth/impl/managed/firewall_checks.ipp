// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/managed/detail/firewall_checks.hpp>
#include <berth/managed/sandbox_rules.hpp>
#include <berth/process/run_blocking.hpp>
#include <berth/process/spawn.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace berth::detail {

// iptables-legacy keeps its rules outside nftables. Asking it loads the kernel's table, so it is asked only where that is
// there: nothing can drop without it.
inline bool legacy_filter_table() {
  std::ifstream names("/proc/net/ip_tables_names");
  for (std::string name; names >> name;)
    if (name == "filter") return true;
  return false;
}

BERTH_DECL std::string find_host_program(const std::string& name) {
  for (const std::string& variable : minimal_environment()) {
    if (!variable.starts_with("PATH=")) continue;
    std::istringstream path(variable.substr(5));
    for (std::string directory; std::getline(path, directory, ':');) {
      const std::string candidate = directory + "/" + name;
      struct stat info {};
      if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(candidate.c_str(), X_OK) == 0)
        return candidate;
    }
  }
  return {};
}

BERTH_DECL std::string find_forward_drop(std::string_view nft_chains) {
  std::string table, chain;
  std::istringstream lines{std::string(nft_chains)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "table") {
      std::string family;
      words >> family >> table;
      table = family + " " + table;
    } else if (first == "chain") {
      words >> chain;
    } else if (first == "type" && line.find(" hook forward ") != std::string::npos &&
               line.find("policy drop") != std::string::npos && table.find(" berth_") == std::string::npos) {
      return table + " " + chain;
    }
  }
  return {};
}

BERTH_DECL machine_check check_firewall() {
  machine_check out{"firewall", check_state::found, "no policy drops forwarded traffic", {}, false};
  const time_point deadline = deadline_after(seconds(10));
  std::string where;
  if (const std::string nft = find_host_program("nft"); !nft.empty()) {
    const auto chains = run_blocking({nft, "list", "chains"}, deadline);
    if (!chains) return {"firewall", check_state::unfit, "cannot be asked: " + chains.error().message, {}, false};
    where = find_forward_drop(*chains);
  }
  if (const std::string legacy = find_host_program("iptables-legacy");
      where.empty() && !legacy.empty() && legacy_filter_table()) {
    const auto rules = run_blocking({legacy, "-S", "FORWARD"}, deadline);
    if (rules && rules->starts_with("-P FORWARD DROP")) where = "iptables-legacy's FORWARD";
  }
  if (where.empty()) return out;
  out.state = check_state::unfit;
  out.what = where + " drops forwarded traffic by its policy, which sandboxes with a network need";
  out.remedy =
      "where sandboxes cannot reach the outside, let their links through; beside Docker: iptables -I DOCKER-USER -i bv+ "
      "-j ACCEPT and iptables -I DOCKER-USER -o bv+ -j ACCEPT (docs/reference/network.md)";
  return out;
}

BERTH_DECL std::optional<machine_check> check_sandbox_rules(const environment& where) {
  const auto records = list_sandboxes(where);
  if (!records) return std::nullopt;  // the state directory's check says why
  const auto running = std::count_if(records->begin(), records->end(), needs_rules);
  if (running == 0) return std::nullopt;
  machine_check out{
      "sandbox rules", check_state::found, "of " + std::to_string(running) + " running sandboxes", {}, true};
  const auto bare = find_without_rules(*records);
  if (!bare) {
    out.state = check_state::unfit;
    out.what = "cannot be asked: " + bare.error().message;
  } else if (!bare->empty()) {
    out.state = check_state::missing;
    std::string ids;
    for (const sandbox_record& record : *bare) ids += " " + record.id;
    out.what = "nothing isolates:" + ids;
    for (const sandbox_record& record : *bare) out.remedy += hints::remove_sandbox(record.id) + "; ";
    out.remedy +=
        "make anew what is still wanted; whatever flushed the whole ruleset (nft flush ruleset, a reload of "
        "nftables.service) must spare the tables named berth_* (docs/reference/network.md)";
  }
  return out;
}

}  // namespace berth::detail
