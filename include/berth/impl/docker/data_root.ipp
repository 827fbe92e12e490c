// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/docker/data_root.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

namespace berth {
namespace detail {

inline constexpr const char* data_root_own = "berth-data-root";
inline constexpr const char* disk_name = "docker.ext4";  ///< in there
/// Is in there while Docker's data is being moved there.
inline constexpr const char* moving_mark = "moving";

inline bool holds_entry(int directory, const char* name, mode_t kind) {
  struct stat info {};
  return ::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && (info.st_mode & S_IFMT) == kind;
}

/// What every dockerd makes in its data root when it starts, from 20.10 to 29.
inline bool is_bare_data_root(int directory) {
  for (const char* name : {"containers", "network", "volumes"})
    if (!holds_entry(directory, name, S_IFDIR)) return false;
  return true;
}

inline result<std::vector<std::string>> names_to_move(int directory, const std::string& shown) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(copy < 0 ? nullptr : ::fdopendir(copy), &::closedir);
  if (!dir) {
    const int failed = errno;
    if (copy >= 0) ::close(copy);
    return errno_error(failed, "docker", "cannot read the data root", shown);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name != data_root_own && name != "lost+found") names.push_back(name);
  }
  return names;
}

/// A directory in `parent`, made where it is missing; no link.
inline result<unique_fd> open_own_directory(int parent, const char* name, const std::string& shown) {
  if (::mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
    return errno_error(errno, "docker", "cannot make the directory for Docker's data", shown);
  unique_fd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && (errno == ENOTDIR || errno == ELOOP))
    return make_error(errc::invalid, "docker", "something else is where berth keeps Docker's data", shown,
                      "move it away, or name another data root");
  if (!fd) return errno_error(errno, "docker", "cannot open the directory for Docker's data", shown);
  return fd;
}

inline result<void> move_bare_data_root(int from, int own, int to, const std::string& shown, const log_sink& log_to) {
  const unique_fd mark(::openat(own, moving_mark, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!mark) return errno_error(errno, "docker", "cannot move Docker's data to its place", shown);
  auto names = names_to_move(from, shown);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    if (::renameat2(from, name.c_str(), to, name.c_str(), RENAME_NOREPLACE) == 0) continue;
    const std::string path = shown + "/" + name;
    if (errno == EEXIST)
      return make_error(errc::exists, "docker",
                        "the data root holds this twice, as earlier releases had it and as it is now", path,
                        "remove it, or that of " + shown + "/" + std::string(data_root_inside));
    return errno_error(errno, "docker", "cannot move Docker's data to its place", path,
                       "end what uses it and unmount what is mounted there");
  }
  if (::unlinkat(own, moving_mark, 0) != 0)
    return errno_error(errno, "docker", "cannot move Docker's data to its place", shown);
  log(log_to, log_level::info, "moved Docker's data to where only berth can reach it",
      {{"from", shown}, {"to", shown + "/" + std::string(data_root_inside)}});
  return {};
}

struct own_data_root {
  std::string shown;  ///< of the directory, without links
  unique_fd top;      ///< the directory
  unique_fd own;      ///< what is berth's own in it
};

/// The directory, and berth's own in it, closed to others.
inline result<own_data_root> open_own_data_root(const std::string& directory) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(directory.c_str(), nullptr), &::free);
  if (!real) return errno_error(errno, "docker", "cannot open the data root", directory, "make the directory first");
  const std::string shown = real.get();
  unique_fd top(::open(real.get(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!top || ::fstat(top.get(), &info) != 0) return errno_error(errno, "docker", "cannot open the data root", shown);
  if (info.st_uid != 0 && info.st_uid != ::geteuid())
    return make_error(errc::permission, "docker", "the data root belongs to another user", shown,
                      "chown it to the user that runs berth, or name another directory");
  const bool bare = is_bare_data_root(top.get());
  if (bare && shown == "/var/lib/docker")
    return make_error(errc::invalid, "docker", "this is the data root of the host's own Docker", shown,
                      "name another directory, or move away what is in it");
  if ((info.st_mode & 0022) != 0) {
    if (!bare)
      return make_error(errc::permission, "docker", "other users can write to the data root", shown,
                        "chmod go-w it, or name another directory");
    if (::fchmod(top.get(), 0700) != 0) return errno_error(errno, "docker", "cannot close the data root", shown);
  }
  const std::string own_shown = shown + "/" + data_root_own;
  auto own = open_own_directory(top.get(), data_root_own, own_shown);
  if (!own) return std::move(own).error();
  if (::fchown(own->get(), ::geteuid(), static_cast<gid_t>(-1)) != 0 || ::fchmod(own->get(), 0700) != 0)
    return errno_error(errno, "docker", "cannot close the directory for Docker's data", own_shown);
  // Two sandboxes that begin at once: the second finds all moved. Nobody else can open what is locked.
  if (::flock(own->get(), LOCK_EX) != 0) return errno_error(errno, "docker", "cannot lock the data root", own_shown);
  return own_data_root{shown, std::move(top), std::move(*own)};
}

inline bool is_to_be_moved(const own_data_root& root) {
  return is_bare_data_root(root.top.get()) || holds_entry(root.own.get(), moving_mark, S_IFREG);
}

}  // namespace detail

BERTH_DECL result<std::string> open_data_root(const std::string& directory, const log_sink& log) {
  auto root = detail::open_own_data_root(directory);
  if (!root) return std::move(root).error();
  const std::string disk_shown = root->shown + "/" + std::string(data_root_disk);
  if (detail::holds_entry(root->own.get(), detail::disk_name, S_IFREG))
    return make_error(errc::exists, "docker", "Docker's data is in a file system of its own here", disk_shown,
                      "mount that, and bind it, or name another directory");
  const std::string inner_shown = root->shown + "/" + std::string(data_root_inside);
  auto inner = detail::open_own_directory(root->own.get(), "docker", inner_shown);
  if (!inner) return std::move(inner).error();
  if (detail::is_to_be_moved(*root))
    BERTH_TRY(detail::move_bare_data_root(root->top.get(), root->own.get(), inner->get(), root->shown, log));
  return inner_shown;
}

BERTH_DECL result<std::string> find_data_root_disk(const std::string& directory, std::uint64_t bytes) {
  auto root = detail::open_own_data_root(directory);
  if (!root) return std::move(root).error();
  const std::string disk_shown = root->shown + "/" + std::string(data_root_disk);
  if (detail::holds_entry(root->own.get(), detail::disk_name, S_IFREG)) return disk_shown;
  if (bytes == 0) return std::string();
  // What sandboxes without a size have left empty goes by rmdir.
  const bool holds_data = ::unlinkat(root->own.get(), "docker", AT_REMOVEDIR) != 0 && errno != ENOENT;
  if (holds_data || detail::is_to_be_moved(*root))
    return make_error(errc::exists, "docker",
                      "the data root has Docker's data already, which is in no file system of a size",
                      holds_data ? root->shown + "/" + std::string(data_root_inside) : root->shown,
                      "leave the size out, remove that data, or name another directory");
  return disk_shown;
}

}  // namespace berth
