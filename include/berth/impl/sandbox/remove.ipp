// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/first_failure.hpp>
#include <berth/base/hints.hpp>
#include <berth/network/network.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/disk.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/remove.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/name_service.hpp>
#include <berth/sandbox/root_watch.hpp>
#include <berth/sandbox/detail/runsc_processes.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <algorithm>
#include <array>

namespace berth {

namespace detail {

inline std::string root_of(const sandbox_record& record) {
  return record.directory.substr(0, record.directory.rfind('/'));
}

/// Whether the names on the host that the record's token makes are its sandbox's own: the token is of this root, and no
/// other record has it. A record may have been copied from another root, or from another sandbox.
inline result<bool> owns_its_names(const sandbox_record& record, const std::string& prefix) {
  if (record.damaged || prefix.empty() || !record.token.starts_with(prefix)) return false;
  auto entries = list_state_directories(root_of(record));
  if (!entries) return std::move(entries).error();
  for (const std::string& id : entries->ids) {
    if (id == record.id) continue;
    const auto other = read_record(root_of(record) + "/" + id);
    if (other && other->token == record.token) return false;
    if (!other && lacks_resources(other.error())) return other.error();
  }
  return true;
}

BERTH_DECL boost::asio::awaitable<result<void>> remove_resources(environment where, sandbox_record record,
                                                                 duration patience) {
  const time_point deadline = deadline_after(patience);
  const auto prefix = find_root_prefix(root_of(record));
  if (!prefix && prefix.error().code != errc::record_damaged) co_return prefix.error();
  const auto owned = owns_its_names(record, prefix ? *prefix : std::string());
  if (!owned) co_return owned.error();
  record.phase = record_phase::removing;
  first_failure first;
  // A full disk must not keep anything from being removed: without this a crash from here on is found all the same, by the
  // dead sandbox process.
  if (!record.damaged) (void)write_record(record);

  enter_phase(where, "kill");
  runsc_owner owner = runsc_owner::of(record, prefix ? *prefix : std::string());
  auto killed = co_await kill_runsc_processes(std::move(owner), deadline);
  if (!killed) co_return killed;  // what still runs still uses the rest

  if (!*owned && !record.damaged) {
    log(where.log, log_level::warn,
        "the record names resources that are not proved to be this sandbox's; they are left alone",
        {{"id", record.id}, {"token", record.token}});
  }
  if (*owned && record.network == network_mode::sandbox) {
    enter_phase(where, "network");
    network_names names = record.names();
    const time_point tools = std::max(deadline, deadline_after(host_tools_patience));
    first.keep(co_await remove_network(std::move(names), tools, where.log));
  }
  enter_phase(where, "shared");
  // The last is runsc's own, since 2026-09: an empty network namespace for its gofer, left mounted below its root directory.
  const std::array<std::string, 4> mounts = {record.shared(), record.root(), record.root_layer(),
                                             record.runsc_root() + "/null-netns"};
  for (const std::string& mount : mounts) {
    std::string path = mount;
    first.keep(co_await unmount_shared(std::move(path)));
  }
  first.keep(co_await unmount_disk(record, deadline));
  if (*owned && record.has_limits()) {
    enter_phase(where, "cgroups");
    std::string path = record.cgroups_path();
    first.keep(co_await remove_cgroups(std::move(path), deadline));
  }
  if (first) co_return first.take();
  enter_phase(where, "directories");
  co_return remove_state_directory(record.directory);
}

inline bool contains_text(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// Kills the processes of sandboxes whose state directory was deleted. Of one that is only hidden from here (something is
/// mounted over it) the tokens are given, and nothing is done: it lives.
inline boost::asio::awaitable<result<std::vector<std::string>>> kill_orphans(std::vector<runsc_host_process> processes,
                                                                             std::string prefix, time_point deadline,
                                                                             log_sink sink, collected_garbage* found) {
  std::vector<std::string> spared, directories;
  for (const runsc_host_process& process : processes) {
    if (!contains_text(directories, process.directory)) directories.push_back(process.directory);
  }
  first_failure first;
  for (const std::string& directory : directories) {
    bool removed = false, hidden = false;
    std::vector<runsc_host_process> group;
    for (const runsc_host_process& process : processes) {
      if (process.directory != directory) continue;
      group.push_back(process);
      removed = removed || process.state == state_view::removed;
      hidden = hidden || process.state == state_view::hidden || process.state == state_view::same;
    }
    if (hidden || !removed) {
      for (const runsc_host_process& process : group) spared.push_back(process.token);
      log(sink, log_level::warn,
          "a sandbox without a record is left alone: its state directory is not deleted, but cannot be seen here",
          {{"directory", directory}, {"pid", std::to_string(group.front().identity.pid)}});
      continue;
    }
    runsc_owner owner;
    owner.directory = directory;
    owner.prefix = prefix;
    auto killed = co_await kill_runsc_processes(std::move(owner), deadline);
    if (killed) {
      const std::string id = directory.substr(directory.rfind('/') + 1);
      for (const runsc_host_process& process : group) {
        found->orphans.push_back({orphan_kind::process, std::to_string(process.identity.pid),
                                  process.program.substr(process.program.rfind('/') + 1) + " of the sandbox " + id});
      }
    }
    first.keep(std::move(killed));
  }
  if (first) co_return first.take().error();
  co_return spared;
}

BERTH_DECL boost::asio::awaitable<result<void>> remove_orphans(std::string root, log_sink sink,
                                                               collected_garbage* found) {
  const time_point deadline = deadline_after(removal_patience);
  auto marked = find_root_prefix(root);
  if (!marked) co_return std::move(marked).error();
  if (marked->empty()) co_return result<void>();  // no sandbox was made here, or nothing can be proved to be of here
  const std::string prefix = *marked;
  first_failure first;
  // First what there is, then the records: whatever is there had its record before, unless that was removed.
  auto tokens = co_await find_network_tokens(prefix, deadline, sink);
  if (!tokens) co_return std::move(tokens).error();
  auto cgroups = find_cgroups("berth-" + prefix);
  if (!cgroups) co_return std::move(cgroups).error();
  auto processes = find_root_processes(root, prefix);
  if (!processes) co_return std::move(processes).error();

  auto entries = list_state_directories(root);
  if (!entries) co_return std::move(entries).error();
  std::vector<std::string> owned, directories;
  for (const std::string& id : entries->ids) {
    auto record = read_record(root + "/" + id);
    if (!record && record.error().code == errc::not_found) {
      // Removed in between, or a directory without record.
      if (auto lock = directory_lock::try_lock(root + "/" + id); !lock && lock.error().code == errc::not_found)
        continue;
      co_return result<void>();
    }
    if (!record && lacks_resources(record.error())) co_return std::move(record).error();
    if (!record) co_return result<void>();
    owned.push_back(record->token);
    directories.push_back(record->directory);
  }
  std::erase_if(*processes,
                [&](const runsc_host_process& process) { return contains_text(directories, process.directory); });
  auto spared = co_await kill_orphans(std::move(*processes), prefix, deadline, sink, found);
  if (!spared) co_return std::move(spared).error();
  owned.insert(owned.end(), spared->begin(), spared->end());
  for (const std::string& token : *tokens) {
    if (contains_text(owned, token)) continue;
    network_names names = network_names::of(token);
    auto removed = co_await remove_network(std::move(names), deadline, sink);
    if (removed) found->orphans.push_back({orphan_kind::network, token, {}});
    first.keep(std::move(removed));
  }
  for (const std::string& name : *cgroups) {
    if (contains_text(owned, name.substr(6))) continue;
    std::string path = "/" + name;
    auto removed = co_await remove_cgroups(std::move(path), deadline);
    if (removed) found->orphans.push_back({orphan_kind::cgroup, "/" + name, {}});
    first.keep(std::move(removed));
  }
  co_return first.take();
}

BERTH_DECL bool is_garbage(const sandbox_record& record, const std::string& boot_id) {
  if (record.damaged) return false;
  // The lock is ours, so whoever was creating or removing it is gone.
  if (record.phase == record_phase::creating || record.phase == record_phase::removing) return true;
  if (record.boot_id != boot_id && !boot_id.empty()) return true;
  if (!record.lives()) return true;
  return is_forsaken(record);
}

inline boost::asio::awaitable<result<collected_garbage>> collect_garbage_steps(environment where,
                                                                               collected_garbage* partial) {
  collected_garbage own, &removed = partial != nullptr ? *partial : own;
  removed = {};
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
    if (auto lock = directory_lock::try_lock(path)) {
      auto gone = remove_tree(path);
      if (gone) removed.orphans.push_back({orphan_kind::directory, name, {}});
      first.keep(std::move(gone));
    }
  }
  for (const std::string& id : entries->ids) {
    const std::string directory = *root + "/" + id;
    auto lock = directory_lock::try_lock(directory);
    if (!lock) {
      if (lock.error().code != errc::again && lock.error().code != errc::not_found) first.keep(std::move(lock).error());
      continue;
    }
    auto record = read_record(directory);
    if (!record && lacks_resources(record.error())) {
      first.keep(std::move(record).error());
      continue;
    }
    if (!record) {
      log(where.log, log_level::warn, "a sandbox's record is damaged; it is left alone",
          {{"id", id}, {"cause", record.error().message}, {"remedy", hints::remove_sandbox(id)}});
      continue;
    }
    if (!is_garbage(*record, boot_id)) continue;
    auto gone = co_await remove_resources(where, *record);
    if (gone) removed.sandboxes.push_back(id);
    first.keep(std::move(gone));
  }
  forget_names(*root);
  std::string root_path = *root;
  first.keep(co_await remove_orphans(std::move(root_path), where.log, &removed));
  if (first) co_return first.take().error();
  co_return removed;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<collected_garbage>> collect_garbage(environment where,
                                                                             collected_garbage* partial) {
  return cancellation_as_error(detail::collect_garbage_steps(std::move(where), partial));
}

BERTH_DECL result<std::vector<sandbox_record>> list_sandboxes(const environment& where) {
  std::vector<sandbox_record> records;
  auto root = find_root(where.root);
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
    if (lacks_resources(record.error())) return std::move(record).error();
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
  revive_watch(where, *root, records);
  revive_names(where, *root, records);
  return records;
}

}  // namespace berth
