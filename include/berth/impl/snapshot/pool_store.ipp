// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/impl/snapshot/pool_directory.ipp>
#include <berth/snapshot/detail/pool_directory.hpp>
#include <berth/snapshot/pool_store.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace berth {
namespace detail {

inline result<pool_status> status_of(const environment& where, const pool_directory& pool) {
  pool_status out;
  out.settings = pool.settings();
  out.source = pool.source();
  out.figures = pool.figures();
  auto members = pool_members(where, out.settings.name);
  if (!members) return std::move(members).error();
  for (const sandbox_record& one : *members)
    if (is_ready_in_pool(one, out.source)) out.ready.push_back(one.id);
  out.filling = !pool.try_lock();
  return out;
}

}  // namespace detail

BERTH_DECL std::string format_pool(const pool_status& pool) {
  const pool_settings& s = pool.settings;
  const pool_figures& f = pool.figures;
  json_writer out;
  out.open_object().key("name").string(s.name).key("snapshot").string(s.snapshot).key("size").number(s.rate.size);
  out.key("at_once").number(s.rate.at_once).key("per_minute").real(s.rate.per_minute).key("owner").number(s.owner.pid);
  out.key("ready").unsigned_number(pool.ready.size()).key("filling").boolean(pool.filling);
  out.key("made").unsigned_number(f.made).key("handed_out").unsigned_number(f.handed_out);
  out.key("missed").unsigned_number(f.missed).key("failed").unsigned_number(f.failed);
  out.key("lost").unsigned_number(f.lost).key("refill_ms").number(f.refill_ms).key("failure").string(f.failure);
  out.key("sandboxes").open_array();
  for (const std::string& id : pool.ready) out.string(id);
  return out.close_array().close_object().take();
}

BERTH_DECL result<void> check_pool_name(std::string_view name) {
  if (check_sandbox_id(name)) return {};
  return make_error(errc::invalid, "pool", "this cannot be a pool's name: " + std::string(name.substr(0, 80)), "name",
                    "letters, digits, _ . + and -, at most 63, and the first no sign");
}

BERTH_DECL result<void> check_pool_settings(const pool_settings& settings) {
  BERTH_TRY(check_pool_name(settings.name));
  BERTH_TRY(check_snapshot_name(settings.snapshot));
  const auto bad = [](const char* field, const char* why) {
    return make_error(errc::invalid, "pool", std::string(field) + ": " + why, field);
  };
  if (settings.rate.size < 1 || settings.rate.size > 1024) return bad("size", "between 1 and 1024 are kept ready");
  if (settings.rate.at_once < 1 || settings.rate.at_once > 64)
    return bad("at_once", "between 1 and 64 are made side by side");
  if (!(settings.rate.per_minute >= 0 && settings.rate.per_minute <= 1e6))
    return bad("per_minute", "a number of sandboxes, 0 for no limit, is wanted");
  return {};
}

BERTH_DECL result<std::vector<pool_status>> list_pools(const environment& where) {
  std::vector<pool_status> out;
  auto all = detail::directory_of_pools(where, false);
  if (!all) return std::move(all).error();
  if (all->empty()) return out;
  std::error_code failed;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(*all, failed))
    names.push_back(entry.path().filename().string());
  if (failed && failed.value() != ENOENT)
    return errno_error(failed.value(), "pool", "cannot read the directory of the pools", *all);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (!check_pool_name(name)) continue;
    auto one = find_pool(where, name);
    if (!one && one.error().code == errc::not_found) continue;  // stopped meanwhile
    if (!one) return std::move(one).error();
    out.push_back(std::move(*one));
  }
  return out;
}

BERTH_DECL result<pool_status> find_pool(const environment& where, std::string_view name) {
  auto pool = detail::pool_directory::open(where, name);
  if (!pool) return std::move(pool).error();
  return detail::status_of(where, *pool);
}

}  // namespace berth
