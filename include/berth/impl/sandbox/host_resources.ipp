// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/host_resources.hpp>

#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <sstream>

// Newer than glibc 2.36's headers know them.
#if !defined(MS_NOSYMFOLLOW)
#define MS_NOSYMFOLLOW 256
#endif
#if !defined(ST_NOSYMFOLLOW)
#define ST_NOSYMFOLLOW 8192
#endif

namespace berth::detail {

BERTH_DECL result<void> mount_shared(const std::string& directory) {
  constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW;
  if (::mount("berth", directory.c_str(), "tmpfs", flags, "size=20m,nr_inodes=64,mode=0755") != 0) {
    error e = errno_error(errno, "sandbox", "cannot mount the shared directory", directory,
                          "berth needs root with CAP_SYS_ADMIN");
    if (e.code == errc::io) e.code = errc::mount_failed;
    return e;
  }
  struct statvfs info {};
  // A kernel that does not know the flag takes the mount without a word.
  if (::statvfs(directory.c_str(), &info) != 0 || (info.f_flag & ST_NOSYMFOLLOW) == 0) {
    ::umount2(directory.c_str(), UMOUNT_NOFOLLOW);
    return make_error(errc::unsupported, "sandbox", "this kernel has no nosymfollow mounts", directory,
                      "use Linux 5.10 or later, or a sandbox without shared directory");
  }
  return {};
}

BERTH_DECL boost::asio::awaitable<result<void>> unmount_shared(std::string directory) {
  for (int attempt = 0;; ++attempt) {
    // Lazily after a while, when a host process has something open in there: the name must go.
    const int lazy = attempt >= 50 ? MNT_DETACH : 0;
    if (::umount2(directory.c_str(), UMOUNT_NOFOLLOW | lazy) == 0) {
      attempt = -1;
      continue;
    }
    if (errno == EINVAL || errno == ENOENT) co_return result<void>();  // nothing mounted there (any more)
    if (errno != EBUSY || attempt > 100) {
      error e = errno_error(errno, "sandbox", "cannot unmount the shared directory", directory);
      if (e.code == errc::io) e.code = errc::mount_failed;
      co_return e;
    }
    const milliseconds pause(1);
    if (!co_await pause_for(pause)) {
      co_return make_error(errc::cancelled, "sandbox", "cancelled while a directory was busy", directory);
    }
  }
}

BERTH_DECL std::string root_mount_options(const std::string& lower, const std::string& upper, const std::string& work) {
  const auto escaped = [](const std::string& path, std::string_view special) {
    std::string out;
    for (const char c : path) {
      if (special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
    return out;
  };
  // A colon separates lower directories; upper and work are one each.
  return "lowerdir=" + escaped(lower, "\\,:") + ",upperdir=" + escaped(upper, "\\,") +
         ",workdir=" + escaped(work, "\\,");
}

/// The overlay itself, its layer in the directory `layer`.
inline result<void> mount_root_layer(const sandbox_record& record, const std::string& layer) {
  const std::string upper = layer + "/upper", work = layer + "/work";
  for (const std::string& path : {upper, work}) {
    if (::mkdir(path.c_str(), 0700) != 0) return errno_error(errno, "sandbox", "cannot make the directory", path);
  }
  // Inside, the root directory looks as the upper layer's does.
  struct stat below {};
  if (::stat(record.rootfs.c_str(), &below) != 0)
    return errno_error(errno, "sandbox", "cannot open the root file system", record.rootfs);
  if (::chown(upper.c_str(), below.st_uid, below.st_gid) != 0 || ::chmod(upper.c_str(), below.st_mode & 07777) != 0)
    return errno_error(errno, "sandbox", "cannot set up the root file system's layer", upper);
  const std::string options = root_mount_options(record.rootfs, upper, work);
  // Of no effect inside, where gVisor's own mounts count: for whoever comes upon it on the host.
  if (::mount("berth", record.root().c_str(), "overlay", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return {};
  error e = errno_error(errno, "sandbox", "cannot mount a layer over the root file system", record.root());
  if (e.sys_errno == EINVAL || e.sys_errno == ENODEV || e.sys_errno == EOPNOTSUPP) e.code = errc::unsupported;
  if (e.code == errc::io) e.code = errc::mount_failed;
  return e;
}

BERTH_DECL result<void> mount_root(const sandbox_record& record) {
  const std::string layer = record.root_layer();
  for (const std::string& path : {record.root(), layer}) {
    if (::mkdir(path.c_str(), 0700) != 0) return errno_error(errno, "sandbox", "cannot make the directory", path);
  }
  auto done = mount_root_layer(record, layer);
  if (done || done.error().code != errc::unsupported || done.error().sys_errno == ENODEV) return done;
  // A state directory that is on an overlay itself, as in a container, cannot hold a layer. A tmpfs can: nothing but mount
  // points and the files of /etc comes into it.
  if (::mount("berth", layer.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,mode=0700") != 0) return done;
  auto again = mount_root_layer(record, layer);
  if (!again) ::umount2(layer.c_str(), UMOUNT_NOFOLLOW);
  return again;
}

BERTH_DECL std::vector<std::string> parse_cgroup_mounts(std::string_view mountinfo) {
  std::vector<std::string> mounts;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream after(line.substr(dash + 3)), before(line.substr(0, dash));
    std::string type, id, parent, device, top, place;
    after >> type;
    before >> id >> parent >> device >> top >> place;
    if ((type == "cgroup" || type == "cgroup2") && place.find('\\') == std::string::npos) mounts.push_back(place);
  }
  return mounts;
}

inline result<std::vector<std::string>> cgroup_mounts() {
  constexpr const char* path = "/proc/self/mountinfo";
  std::string text;
  if (const int failed = try_read_system_file(path, text, 16u << 20); failed != 0) {
    return errno_error(failed, "sandbox", "cannot look for cgroups", path);
  }
  return parse_cgroup_mounts(text);
}

/// Children first. errno of the first failure, or 0.
inline int remove_cgroup_tree(const std::string& path) {
  if (const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir); dir) {
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
      if (const int failed = remove_cgroup_tree(path + "/" + std::string(name)); failed != 0) return failed;
    }
  } else if (errno != ENOENT) {
    return errno;
  }
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

inline bool cgroup_exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

BERTH_DECL boost::asio::awaitable<result<void>> remove_cgroups(std::string cgroups_path, time_point deadline) {
  std::string kept;
  const auto mounts = cgroup_mounts();
  if (!mounts) co_return mounts.error();
  for (const std::string& mount : *mounts) {
    const std::string path = mount + cgroups_path;
    if (!cgroup_exists(path))
      continue;  // not left to rmdir, which says EROFS of a name that a read-only mount does not have
    int failed = 0;
    // Busy for a moment after the last process in it was killed.
    while ((failed = remove_cgroup_tree(path)) == EBUSY && clock::now() < deadline) {
      if (!co_await pause_for(milliseconds(5))) {
        co_return make_error(errc::cancelled, "sandbox", "cancelled while cgroups were being removed");
      }
    }
    if (failed == EROFS) kept = path;  // another mount of the same hierarchy may be writable
    else if (failed != 0) co_return errno_error(failed, "sandbox", "cannot remove the cgroup", path);
  }
  if (!kept.empty() && cgroup_exists(kept)) co_return errno_error(EROFS, "sandbox", "cannot remove the cgroup", kept);
  co_return result<void>();
}

BERTH_DECL result<std::vector<std::string>> find_cgroups(const std::string& prefix) {
  std::vector<std::string> names;
  const auto mounts = cgroup_mounts();
  if (!mounts) return mounts.error();
  for (const std::string& mount : *mounts) {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(mount.c_str()), &::closedir);
    if (!dir) {
      error e = errno_error(errno, "sandbox", "cannot look for cgroups", mount);
      if (lacks_resources(e)) return e;
      continue;  // hidden by another mount, or not for us: nothing of ours can be in there
    }
    while (const dirent* entry = ::readdir(dir.get())) {
      if (entry->d_type == DT_DIR && std::string_view(entry->d_name).starts_with(prefix))
        names.emplace_back(entry->d_name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace berth::detail
