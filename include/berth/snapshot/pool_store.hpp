// SPDX-License-Identifier: Apache-2.0
// The pools of a root directory, as they lie on disk: ROOT/.pools/NAME. Who waits in one, the sandboxes' own records say.
#pragma once

#include <berth/sandbox/config.hpp>
#include <berth/snapshot/pool_plan.hpp>
#include <berth/snapshot/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// What a pool is to be.
struct pool_settings {
  std::string name;
  std::string snapshot;
  pool_rate rate;
  /// It is garbage once this process is gone (collect_pools); none: it stays until it is stopped.
  process_identity owner;
};

/// What became of it so far.
struct pool_figures {
  std::uint64_t made = 0;
  std::uint64_t handed_out = 0;  ///< of those that were ready
  std::uint64_t missed = 0;      ///< made for whoever asked, since none was ready
  std::uint64_t failed = 0;      ///< could not be made
  std::uint64_t lost = 0;        ///< ended while they waited
  std::int64_t refill_ms = 0;    ///< how long the last one that was made took
  std::string failure;           ///< why the last one could not be made; empty when one could since
};

/// A pool as it is now.
struct pool_status {
  pool_settings settings;
  std::string source;  ///< record_pool::source of its sandboxes
  pool_figures figures;
  std::vector<std::string> ready;  ///< the ids of those that wait, the oldest first
  bool filling = false;            ///< somebody is at it
};

/// As a JSON object on one line: "name", "snapshot", "size", "at_once", "per_minute", "owner" (a pid, 0 for none), "ready", "filling",
/// "made", "handed_out", "missed", "failed", "lost", "refill_ms", "failure", "sandboxes" (the ids of those that are ready).
BERTH_DECL std::string format_pool(const pool_status& pool);

/// As a sandbox's id. Errors: invalid.
BERTH_DECL result<void> check_pool_name(std::string_view name);
/// Errors: invalid, with the field in `path`.
BERTH_DECL result<void> check_pool_settings(const pool_settings& settings);

/// All of them, by name. A root that is not there holds none. Errors: permission, io.
BERTH_DECL result<std::vector<pool_status>> list_pools(const environment& where);
/// Errors: not_found, invalid (no name), record_damaged, permission, io.
BERTH_DECL result<pool_status> find_pool(const environment& where, std::string_view name);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/pool_store.ipp>
#endif
