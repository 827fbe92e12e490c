// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/snapshot/pool_store.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace berth::detail {

inline constexpr std::string_view pools_directory = "/.pools";  ///< below the root

/// One pool's directory, held open: it is the same one whatever has its name by now.
class pool_directory {
 public:
  /// Makes it. Errors: exists, permission, io.
  BERTH_DECL static result<pool_directory> make(const environment& where, const pool_settings& settings,
                                                std::string source);
  /// Errors: not_found, record_damaged, permission, io.
  BERTH_DECL static result<pool_directory> open(const environment& where, std::string_view name);

  const pool_settings& settings() const noexcept { return settings_; }
  const std::string& source() const noexcept { return source_; }
  const std::string& path() const noexcept { return path_; }

  /// Whether it still has its name: it was not stopped.
  BERTH_DECL bool is_there() const;
  /// Reads the settings again, or writes others. Errors: as open.
  BERTH_DECL result<void> read();
  BERTH_DECL result<void> write(const pool_settings& settings);

  /// Changes the figures on disk. What cannot be written is not counted.
  BERTH_DECL void count(const std::function<void(pool_figures&)>& change) const;
  BERTH_DECL pool_figures figures() const;

  /// Whoever fills it has this, until its end. None: another has it.
  BERTH_DECL std::optional<unique_fd> try_lock() const;

  /// Takes its name away, so that nobody takes from it or fills it any more. Idempotent. Errors: io.
  BERTH_DECL result<void> retire();
  /// Removes what is left of one that was retired.
  BERTH_DECL void remove();

 private:
  std::string all_;   // the directory of the pools
  std::string path_;  // where it is now
  unique_fd fd_;
  pool_settings settings_;
  std::string source_;
};

/// Of one that a killed process has left on its way to removal; gives how many there were.
BERTH_DECL int remove_retired_pools(const environment& where);

/// Takes away one whose settings cannot be read. Errors: io.
BERTH_DECL result<void> remove_damaged_pool(const environment& where, std::string_view name);

/// The records of sandboxes of the pool: those that wait, that are being made, that have ended. Errors: those of list_sandboxes.
BERTH_DECL result<std::vector<sandbox_record>> pool_members(const environment& where, std::string_view name);

/// Whether this one waits in a pool with that source, and is to be had: it runs, and its Docker is ready where it has one.
BERTH_DECL bool is_ready_in_pool(const sandbox_record& record, std::string_view source);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/pool_directory.ipp>
#endif
