#pragma once

#include <berth/base/first_failure.hpp>
#include <berth/network/network.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/remove.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <algorithm>
#include <array>

namespace berth {

namespace detail {

BERTH_DECL boost::asio::awaitable<result<void>> remove_resources(environment where, sandbox_record record) {
  const time_point deadline = deadline_after(removal_patience);
  record.phase = record_phase::removing;
  first_failure first;
  // A full disk must not keep anything from being removed: without this a crash from here on is found all the same, by the
  // dead sandbox process.
  if (!record.damaged) (void)write_record(record);

  enter_phase(where, "kill");
  auto killed = co_await kill_runsc_processes(record.runsc_root(), deadline);
  if (!killed) co_return killed;  // what still runs still uses the rest

  if (!record.damaged && record.network == network_mode::sandbox) {
    enter_phase(where, "network");
    network_names names = record.names();
    first.keep(co_await remove_network(std::move(names), deadline, where.log));
  }
  enter_phase(where, "shared");
  const std::array<std::string, 3> mounts = {record.shared(), record.root(), record.root_layer()};
  for (const std::string& mount : mounts) {
    std::string path = mount;
    first.keep(co_await unmount_shared(std::move(path)));
  }
  if (!record.damaged && record.has_limits()) {
    enter_phase(where, "cgroups");
    std::string path = record.cgroups_path();
    first.keep(co_await remove_cgroups(std::move(path), deadline));
  }
  if (first) co_return first.take();
  enter_phase(where, "directories");
  co_return remove_state_directory(record.directory);
}

BERTH_DECL boost::asio::awaitable<result<void>> remove_orphans(std::string root, log_sink sink) {
  const time_point deadline = deadline_after(removal_patience);
  const std::string prefix = root_token(root);
  first_failure first;
  // First what there is, then the records: whatever is there had its record before, unless that was removed.
  auto tokens = co_await find_network_tokens(prefix, deadline, sink);
  if (!tokens) co_return std::move(tokens).error();
  const std::vector<std::string> cgroups = find_cgroups("berth-" + prefix);
  const std::vector<std::string> roots = find_runsc_roots(root);

  auto entries = list_state_directories(root);
  if (!entries) co_return std::move(entries).error();
  std::vector<std::string> owned, directories;
  for (const std::string& id : entries->ids) {
    auto record = read_record(root + "/" + id);
    if (!record && record.error().code == errc::not_found) {
      // Removed in between, or a directory without record.
      if (auto lock = directory_lock::try_lock(root + "/" + id); !lock && lock.error().code == errc::not_found) continue;
      co_return result<void>();
    }
    if (!record) co_return result<void>();
    owned.push_back(record->token);
    directories.push_back(record->runsc_root());
  }
  for (const std::string& runsc_root : roots) {
    if (std::find(directories.begin(), directories.end(), runsc_root) == directories.end()) first.keep(co_await kill_runsc_processes(runsc_root, deadline));
  }
  for (const std::string& token : *tokens) {
    if (std::find(owned.begin(), owned.end(), token) != owned.end()) continue;
    network_names names = network_names::of(token);
    first.keep(co_await remove_network(std::move(names), deadline, sink));
  }
  for (const std::string& name : cgroups) {
    if (std::find(owned.begin(), owned.end(), name.substr(6)) != owned.end()) continue;
    std::string path = "/" + name;
    first.keep(co_await remove_cgroups(std::move(path), deadline));
  }
  co_return first.take();
}

BERTH_DECL bool is_garbage(const sandbox_record& record, const std::string& boot_id) {
  if (record.damaged) return false;
  // The lock is ours, so whoever was creating or removing it is gone.
  if (record.phase != record_phase::running) return true;
  if (record.boot_id != boot_id) return true;
  if (!record.sandbox_process.alive()) return true;
  return record.ends_with_creator && !record.creator.alive();
}

inline boost::asio::awaitable<result<std::vector<std::string>>> collect_garbage_steps(environment where,
                                                                                        std::vector<std::string>* ids) {
  std::vector<std::string> own, &removed = ids != nullptr ? *ids : own;
  removed.clear();
  auto root = find_root(where.root);
  if (!root) {
    if (root.error().code == errc::not_found) co_return removed;
    co_return std::move(root).error();
  }
  auto entries = list_state_directories(*root);
  if (!entries) co_return std::move(entries).error();
  first_failure first;
  const std::string boot_id = read_boot_id();
  for (const std::string& name : entries->unfinished) {
    const std::string path = *root + "/" + name;
    if (auto lock = directory_lock::try_lock(path)) first.keep(remove_tree(path));
  }
  for (const std::string& id : entries->ids) {
    const std::string directory = *root + "/" + id;
    auto lock = directory_lock::try_lock(directory);
    if (!lock) {
      if (lock.error().code != errc::again && lock.error().code != errc::not_found) first.keep(std::move(lock).error());
      continue;
    }
    auto record = read_record(directory);
    if (!record) {
      log(where.log, log_level::warn, "a sandbox's record is damaged; it is left alone",
          {{"id", id}, {"cause", record.error().message}, {"remedy", "berth rm " + id}});
      continue;
    }
    if (!is_garbage(*record, boot_id)) continue;
    auto gone = co_await remove_resources(where, *record);
    if (gone) removed.push_back(id);
    first.keep(std::move(gone));
  }
  std::string root_path = *root;
  first.keep(co_await remove_orphans(std::move(root_path), where.log));
  if (first) co_return first.take().error();
  co_return removed;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<std::vector<std::string>>> collect_garbage(environment where,
                                                                              std::vector<std::string>* removed) {
  return cancellation_as_error(detail::collect_garbage_steps(std::move(where), removed));
}

BERTH_DECL result<std::vector<sandbox_record>> list_sandboxes(const environment& where) {
  std::vector<sandbox_record> records;
  auto root = detail::find_root(where.root);
  if (!root) {
    if (root.error().code == errc::not_found) return records;
    return std::move(root).error();
  }
  auto entries = detail::list_state_directories(*root);
  if (!entries) return std::move(entries).error();
  for (const std::string& id : entries->ids) {
    const std::string directory = *root + "/" + id;
    auto record = read_record(directory);
    if (record) {
      records.push_back(std::move(*record));
      continue;
    }
    // Not there: a moment ago it was, or the directory has lost its record.
    if (record.error().code == errc::not_found && !detail::is_state_directory(directory)) continue;
    sandbox_record damaged;
    damaged.id = id;
    damaged.directory = directory;
    damaged.damaged = true;
    damaged.damage = record.error().to_string();
    records.push_back(std::move(damaged));
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const sandbox_record& a, const sandbox_record& b) { return a.created_ms < b.created_ms; });
  return records;
}

}  // namespace berth
