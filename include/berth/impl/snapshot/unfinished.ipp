// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/token.hpp>
#include <berth/snapshot/detail/unfinished.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

namespace berth::detail {

BERTH_DECL result<unfinished_snapshot> unfinished_snapshot::begin(const environment& where, std::string_view name) {
  BERTH_TRY(check_snapshot_name(name));
  auto root = root_directory(where, true);
  if (!root) return std::move(root).error();
  unfinished_snapshot out;
  const std::string all = *root + std::string(snapshots_directory);
  out.final_ = all + "/" + std::string(name);
  if (::mkdir(all.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error(errno, "snapshot", "cannot make the directory of the snapshots", all);
  if (::access(out.final_.c_str(), F_OK) == 0)
    return make_error(errc::exists, "snapshot", "there is a snapshot of this name", std::string(name),
                      "choose another name, or " + hints::remove_snapshot(name));
  out.place_.manifest.name = std::string(name);
  out.place_.directory = all + "/.new-" + random_token(13);
  if (::mkdir(out.place_.directory.c_str(), 0700) != 0)
    return errno_error(errno, "snapshot", "cannot make the snapshot's directory", out.place_.directory);
  out.lock_.reset(::open(out.place_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.lock_ || ::flock(out.lock_.get(), LOCK_EX | LOCK_NB) != 0 || ::mkdir(out.place_.image().c_str(), 0700) != 0)
    return errno_error(errno, "snapshot", "cannot make the snapshot's directory", out.place_.directory);
  return out;
}

BERTH_DECL unfinished_snapshot::~unfinished_snapshot() {
  if (!lock_) return;
  std::error_code ignored;
  std::filesystem::remove_all(place_.directory, ignored);
}

/// A snapshot outlives the machine's next boot, and one that has a name is whole. Only what is ours is waited for, whatever else
/// its file system has to write.
inline result<void> sync_to_disk(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file && ::fsync(file.get()) == 0) return {};
  return errno_error(errno, "snapshot", "cannot write the snapshot to the disk", path);
}

BERTH_DECL result<void> unfinished_snapshot::finish(snapshot_manifest manifest) {
  std::vector<std::string> written;
  std::error_code failed;
  const bool has_data_root = ::access(place_.data_root().c_str(), F_OK) == 0;
  std::filesystem::recursive_directory_iterator entries(place_.directory, failed);
  for (; !failed && entries != std::filesystem::recursive_directory_iterator(); entries.increment(failed)) {
    const auto& entry = *entries;
    if (entry.path() == place_.data_root()) {
      entries.disable_recursion_pending();
      continue;
    }
    written.push_back(entry.path().string());
    if (!entry.is_regular_file(failed)) continue;
    ::chmod(entry.path().c_str(), 0600);  // memory holds keys and environments
    manifest.bytes += entry.file_size(failed);
  }
  if (failed) return errno_error(failed.value(), "snapshot", "cannot read the snapshot", place_.directory);
  ::chmod(place_.init().c_str(), 0700);
  const std::string manifest_file = place_.directory + "/manifest.json";
  BERTH_TRY(replace_file(manifest_file, format_snapshot_manifest(manifest), 0600, "snapshot"));
  written.push_back(manifest_file);
  written.push_back(place_.directory);
  for (const std::string& path : written) BERTH_TRY(sync_to_disk(path));
  if (has_data_root) {
    // Thousands of files: one by one they would take longer than all that the file system has to write.
    const unique_fd top(::open(place_.data_root().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!top || ::syncfs(top.get()) != 0)
      return errno_error(errno, "snapshot", "cannot write the snapshot to the disk", place_.data_root());
  }
  if (::renameat2(AT_FDCWD, place_.directory.c_str(), AT_FDCWD, final_.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST)
      return make_error(errc::exists, "snapshot", "there is a snapshot of this name by now", manifest.name,
                        "choose another name");
    return errno_error(errno, "snapshot", "cannot give the snapshot its name", final_);
  }
  lock_.reset();
  place_.directory = final_;
  BERTH_TRY(sync_to_disk(final_.substr(0, final_.rfind('/'))));
  return {};
}

}  // namespace berth::detail
