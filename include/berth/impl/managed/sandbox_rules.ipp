// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/managed/sandbox_rules.hpp>
#include <berth/process/run_blocking.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL bool has_tables(const sandbox_record& record, std::string_view nft_tables) {
  const std::string table = record.names().table;
  bool inet = false, arp = false;
  while (!nft_tables.empty()) {
    const std::size_t end = std::min(nft_tables.find('\n'), nft_tables.size());
    const std::string_view line = nft_tables.substr(0, end);
    if (nft_table_name(line) == table) (line.starts_with("table inet ") ? inet : arp) = true;
    nft_tables.remove_prefix(std::min(end + 1, nft_tables.size()));
  }
  return inet && arp;
}

BERTH_DECL bool needs_rules(const sandbox_record& record) {
  return !record.damaged && record.network == network_mode::sandbox && record.phase == record_phase::running &&
         record.process_alive();
}

BERTH_DECL result<std::vector<sandbox_record>> find_without_rules(const std::vector<sandbox_record>& records) {
  std::vector<sandbox_record> out;
  if (std::none_of(records.begin(), records.end(), needs_rules)) return out;
  const auto tables = run_blocking({"nft", "list", "tables"}, deadline_after(seconds(10)));
  if (!tables) return tables.error();
  for (const sandbox_record& record : records) {
    if (!needs_rules(record) || has_tables(record, *tables)) continue;
    const auto now = read_record(record.directory);
    if (now && now->token == record.token && needs_rules(*now)) out.push_back(record);
  }
  return out;
}

}  // namespace berth
