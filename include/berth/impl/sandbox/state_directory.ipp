// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/base/token.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/detail/state_directory.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace berth::detail {

BERTH_DECL result<directory_lock> make_state_directory(const std::string& root, sandbox_record& record) {
  BERTH_TRY(check_socket_paths(root, record.id));
  const std::string temporary = root + "/.new-" + random_token(13);
  const auto fail = [&temporary](error e) {
    (void)remove_tree(temporary);
    return e;
  };
  record.directory = root + "/" + record.id;
  const auto taken = [&record] {
    if (is_state_directory(record.directory)) {
      return make_error(errc::exists, "sandbox", "there is a sandbox of this id", record.id,
                        "choose another id, or " + hints::remove_sandbox(record.id));
    }
    return make_error(errc::exists, "sandbox", "something else than a sandbox has this name", record.directory,
                      "choose another id");
  };
  struct stat info {};
  if (::lstat(record.directory.c_str(), &info) == 0) return taken();
  if (::mkdir(temporary.c_str(), 0700) != 0) {
    return errno_error(errno, "sandbox", "cannot make the sandbox's directory", temporary);
  }
  // Garbage collection elsewhere may take an unlocked unfinished directory away: then this fails, and nothing is lost.
  auto lock = directory_lock::try_lock(temporary);
  if (!lock) return fail(std::move(lock).error());
  sandbox_record first = record;
  first.directory = temporary;
  if (auto written = write_record(first); !written) return fail(std::move(written).error());
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, record.directory.c_str(), RENAME_NOREPLACE) != 0) {
    const int failed = errno;
    if (failed == EEXIST) return fail(taken());
    return fail(errno_error(failed, "sandbox", "cannot make the sandbox's directory", record.directory));
  }
  return lock;
}

BERTH_DECL result<void> remove_state_directory(const std::string& directory) {
  // Under another name first: the id is free at once, and a crash in between leaves no half of a record.
  const std::size_t slash = directory.rfind('/');
  const std::string aside = directory.substr(0, slash) + "/.old-" + random_token(13);
  if (::rename(directory.c_str(), aside.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return errno_error(errno, "sandbox", "cannot remove the sandbox's directory", directory);
  }
  return remove_tree(aside);
}

BERTH_DECL bool is_state_directory(const std::string& directory) {
  const auto holds = [&](const char* name, mode_t kind) {
    struct stat info {};
    return ::lstat((directory + name).c_str(), &info) == 0 && (info.st_mode & S_IFMT) == kind;
  };
  if (!holds("", S_IFDIR)) return false;
  struct stat record {};
  if (::lstat((directory + "/record.json").c_str(), &record) == 0) return true;
  // One that lost its record. What fsck finds may be a piece of a sandbox, but is no sandbox's directory.
  return !directory.ends_with("/lost+found") && holds("/bundle", S_IFDIR) && holds("/run", S_IFDIR);
}

BERTH_DECL result<state_entries> list_state_directories(const std::string& root) {
  state_entries entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(root.c_str()), &::closedir);
  if (!dir) return errno_error(errno, "sandbox", "cannot read berth's root directory", root);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr && errno != 0)
      return errno_error(errno, "sandbox", "cannot read berth's root directory", root);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name.starts_with(".new-") || name.starts_with(".old-")) entries.unfinished.emplace_back(name);
    else if (check_sandbox_id(name) && is_state_directory(root + "/" + entry->d_name)) entries.ids.emplace_back(name);
  }
  std::sort(entries.ids.begin(), entries.ids.end());
  return entries;
}

/// Removes what is in the directory that `dir_fd` is open on. Directories on other devices are left, and reported.
inline result<void> remove_contents(int dir_fd, dev_t device, const std::string& shown) {
  const int copy = ::openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return errno_error(errno, "sandbox", "cannot open the directory", shown);
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(copy), &::closedir);
  if (!dir) {
    const int failed = errno;
    ::close(copy);
    return errno_error(failed, "sandbox", "cannot read the directory", shown);
  }
  result<void> first;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = shown + "/" + name;
    if (::unlinkat(dir_fd, name.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) {
      if (first) first = errno_error(errno, "sandbox", "cannot remove the file", path);
      continue;
    }
    const unique_fd child(::openat(dir_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info {};
    if (!child || ::fstat(child.get(), &info) != 0) {
      if (first && errno != ENOENT) first = errno_error(errno, "sandbox", "cannot open the directory", path);
      continue;
    }
    if (info.st_dev != device) {
      if (first) first = make_error(errc::mount_failed, "sandbox", "something is still mounted there", path);
      continue;
    }
    auto inner = remove_contents(child.get(), device, path);
    if (!inner && first) first = std::move(inner);
    if (::unlinkat(dir_fd, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT && first) {
      first = errno_error(errno, "sandbox", "cannot remove the directory", path);
    }
  }
  return first;
}

BERTH_DECL result<void> remove_tree(const std::string& path) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) {
    if (errno == ENOENT) return {};
    return errno_error(errno, "sandbox", "cannot open the directory", path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error(errno, "sandbox", "cannot open the directory", path);
  BERTH_TRY(remove_contents(fd.get(), info.st_dev, path));
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    return errno_error(errno, "sandbox", "cannot remove the directory", path);
  }
  return {};
}

}  // namespace berth::detail

namespace berth {

BERTH_DECL result<std::string> root_directory(const environment& where, bool make) {
  return make ? open_root(where.root) : find_root(where.root);
}

}  // namespace berth
