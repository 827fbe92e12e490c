// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/token.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/impl/snapshot/manifest.ipp>
#include <berth/snapshot/store.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace berth {
namespace detail {

inline error no_snapshot(std::string_view name) {
  return make_error(errc::not_found, "snapshot", "there is no snapshot of this name", std::string(name),
                    hints::list_snapshots());
}

inline stored_snapshot read_snapshot(std::string directory) {
  stored_snapshot out;
  out.directory = std::move(directory);
  const std::string name = out.directory.substr(out.directory.rfind('/') + 1);
  const auto text = read_file(out.directory + "/manifest.json", 2u << 20, "snapshot");
  auto manifest = text ? parse_snapshot_manifest(*text) : result<snapshot_manifest>(text.error());
  if (manifest && manifest->name != name) manifest = damaged_manifest("it is another snapshot's");
  if (manifest) {
    out.manifest = std::move(*manifest);
  } else {
    out.damaged = true;
    out.damage = manifest.error().to_string();
  }
  out.manifest.name = name;
  return out;
}

/// The names in the directory of the snapshots, and that directory in `all`; none where it is not there.
inline result<std::vector<std::string>> snapshot_entries(const environment& where, std::string& all) {
  auto root = root_directory(where, false);
  std::vector<std::string> names;
  if (!root && root.error().code == errc::not_found) return names;
  if (!root) return std::move(root).error();
  all = *root + std::string(snapshots_directory);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(all.c_str()), &::closedir);
  if (!dir && errno == ENOENT) return names;
  if (!dir) return errno_error(errno, "snapshot", "cannot read the directory of the snapshots", all);
  while (const dirent* entry = ::readdir(dir.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace detail

BERTH_DECL std::string format_snapshot(const stored_snapshot& snapshot) {
  const snapshot_manifest& m = snapshot.manifest;
  json_writer out;
  out.open_object().key("name").string(m.name).key("directory").string(snapshot.directory);
  if (snapshot.damaged) return out.key("damage").string(snapshot.damage).close_object().take();
  out.key("created_ms").number(m.created_ms).key("took_ms").number(m.took_ms).key("bytes").unsigned_number(m.bytes);
  out.key("docker").boolean(m.docker).key("sandbox").string(m.source.id).key("rootfs").string(m.source.rootfs);
  out.key("memory_bytes").unsigned_number(m.source.memory_bytes).key("cpus").real(m.source.cpus);
  out.key("network").string(network_mode_name(m.source.network));
  out.key("runsc").string(m.base.runsc).key("berth").string(m.berth);
  out.key("annotations").open_object();
  for (const auto& [key, value] : m.source.annotations) out.key(key).string(value);
  out.close_object();
  return out.close_object().take();
}

BERTH_DECL result<void> check_snapshot_name(std::string_view name) {
  if (check_sandbox_id(name)) return {};
  return make_error(errc::invalid, "snapshot", "this cannot be a snapshot's name: " + std::string(name.substr(0, 80)),
                    {}, "letters, digits, _ . + and -, at most 63, and the first no sign");
}

BERTH_DECL result<std::vector<stored_snapshot>> list_snapshots(const environment& where) {
  std::string all;
  auto names = detail::snapshot_entries(where, all);
  if (!names) return std::move(names).error();
  std::vector<stored_snapshot> out;
  for (const std::string& name : *names) {
    struct stat info {};
    const std::string directory = all + "/" + name;
    if (check_snapshot_name(name) && ::lstat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
      out.push_back(detail::read_snapshot(directory));
  }
  return out;
}

BERTH_DECL result<stored_snapshot> find_snapshot(const environment& where, std::string_view name) {
  BERTH_TRY(check_snapshot_name(name));
  std::string all;
  auto names = detail::snapshot_entries(where, all);
  if (!names) return std::move(names).error();
  if (std::find(names->begin(), names->end(), name) == names->end()) return detail::no_snapshot(name);
  stored_snapshot found = detail::read_snapshot(all + "/" + std::string(name));
  if (found.damaged) {
    error e = detail::damaged_manifest("see the detail");
    e.path = found.directory;
    e.detail = found.damage;
    return e;
  }
  return found;
}

BERTH_DECL result<void> remove_snapshot(const environment& where, std::string_view name) {
  BERTH_TRY(check_snapshot_name(name));
  std::string all;
  auto names = detail::snapshot_entries(where, all);
  if (!names) return std::move(names).error();
  // Under another name first: the name is free at once, and nobody restores from half of it.
  const std::string aside = all + "/.old-" + random_token(13);
  if (std::find(names->begin(), names->end(), name) == names->end() ||
      (::rename((all + "/" + std::string(name)).c_str(), aside.c_str()) != 0 && errno == ENOENT))
    return detail::no_snapshot(name);
  std::error_code failed;
  std::filesystem::remove_all(aside, failed);
  if (failed) return errno_error(failed.value(), "snapshot", "cannot remove the snapshot", aside);
  return {};
}

BERTH_DECL result<int> remove_unfinished_snapshots(const environment& where) {
  std::string all;
  auto names = detail::snapshot_entries(where, all);
  if (!names) return std::move(names).error();
  int removed = 0;
  for (const std::string& name : *names) {
    if (!name.starts_with(".new-") && !name.starts_with(".old-")) continue;
    const std::string directory = all + "/" + name;
    // Who is at work on it has it locked.
    const unique_fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code failed;
    std::filesystem::remove_all(directory, failed);
    if (failed) return errno_error(failed.value(), "snapshot", "cannot remove what was left behind", directory);
    ++removed;
  }
  return removed;
}

}  // namespace berth
