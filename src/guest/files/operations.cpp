// SPDX-License-Identifier: Apache-2.0
#include "operations.hpp"

#include <berth/base/tar_tree.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace berth::guest {
namespace {

struct close_directory {
  void operator()(DIR* d) const { ::closedir(d); }
};
using directory_stream = std::unique_ptr<DIR, close_directory>;

directory_stream open_directory(unique_fd fd) {
  if (!fd) return nullptr;
  directory_stream opened(::fdopendir(fd.get()));
  if (opened) (void)fd.release();
  return opened;
}

bool is_dots(const char* name) { return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')); }

file_info info_of(const struct stat& seen, int at, const char* name) {
  file_info info;
  info.mode = seen.st_mode;
  info.size = static_cast<std::uint64_t>(seen.st_size);
  info.uid = seen.st_uid;
  info.gid = seen.st_gid;
  info.mtime = seen.st_mtim.tv_sec;
  info.mtime_ns = static_cast<std::uint32_t>(seen.st_mtim.tv_nsec);
  char target[4096];
  if (const ssize_t n = info.is_symlink() ? ::readlinkat(at, name, target, sizeof target) : 0; n > 0)
    info.target.assign(target, static_cast<std::size_t>(n));
  return info;
}

}  // namespace

error file_error(int err, const char* what, const std::string& path) { return errno_error(err, "files", what, path); }

std::string name_beside(const std::string& path) {
  std::uint64_t number = 0;
  (void)!::getrandom(&number, sizeof number, 0);
  char name[40];
  std::snprintf(name, sizeof name, ".berth-%016llx", static_cast<unsigned long long>(number));
  const std::size_t slash = path.find_last_not_of('/') == path.npos ? 0 : path.rfind('/', path.find_last_not_of('/'));
  return slash == path.npos ? std::string(name) : path.substr(0, slash + 1) + name;
}

result<void> list_directory(host_link& host, const guest_file_request& wanted) {
  const directory_stream all =
      open_directory(unique_fd(::open(wanted.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!all) return file_error(errno, "cannot list a directory", wanted.path);
  std::string entries;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(all.get());
    if (entry == nullptr && errno != 0) return file_error(errno, "cannot list a directory", wanted.path);
    if (entry == nullptr) break;
    struct stat seen {};
    if (is_dots(entry->d_name) || ::fstatat(::dirfd(all.get()), entry->d_name, &seen, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    file_info info = info_of(seen, ::dirfd(all.get()), entry->d_name);
    info.name = entry->d_name;
    std::string one;
    append_file_info(one, info);
    if (entries.size() + one.size() > guest_frame_limit) {
      if (!host.say(guest_frame_kind::out, entries)) return file_error(ECANCELED, "the host is gone", wanted.path);
      entries.clear();
    }
    entries += one;
  }
  if (!entries.empty()) host.say(guest_frame_kind::out, entries);
  return {};
}

result<void> tell_status(host_link& host, const guest_file_request& wanted) {
  struct stat seen {};
  const char* path = wanted.path.c_str();
  if (::fstatat(AT_FDCWD, path, &seen, wanted.follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
    return file_error(errno, "cannot look at a file", wanted.path);
  std::string one;
  append_file_info(one, info_of(seen, AT_FDCWD, path));
  host.say(guest_frame_kind::out, one);
  return {};
}

int remove_tree(int at, const char* name) {
  if (::unlinkat(at, name, 0) == 0) return 0;
  const int as_file = errno;
  if (as_file != EISDIR && as_file != EPERM) return as_file;
  const directory_stream all = open_directory(open_directory_itself(at, name));
  if (!all) return errno == ENOTDIR ? as_file : errno;
  int failed = 0;
  // Removing entries may move those that are yet to be read: it is read again until there are none.
  for (bool removed = true; removed && failed == 0;) {
    removed = false;
    ::rewinddir(all.get());
    while (const dirent* entry = ::readdir(all.get())) {
      if (is_dots(entry->d_name)) continue;
      const int err = remove_tree(::dirfd(all.get()), entry->d_name);
      if (err == 0) removed = true;
      else if (failed == 0 && err != ENOENT) failed = err;
    }
  }
  if (::unlinkat(at, name, AT_REMOVEDIR) == 0) return 0;
  return failed != 0 ? failed : errno;
}

result<void> remove_path(const guest_file_request& wanted) {
  const char* path = wanted.path.c_str();
  if (::unlink(path) == 0) return {};
  const int err = errno;
  struct stat seen {};
  const bool is_directory = ::lstat(path, &seen) == 0 && S_ISDIR(seen.st_mode);
  if (!is_directory) return file_error(err, "cannot remove a file", wanted.path);
  if (!wanted.recursive) return file_error(EISDIR, "cannot remove a directory as a file", wanted.path);
  if (const int failed = remove_tree(AT_FDCWD, path); failed != 0)
    return file_error(failed, "cannot remove all of a directory", wanted.path);
  return {};
}

int make_directories(const std::string& path, mode_t mode) {
  for (std::size_t at = path.find_first_not_of('/'); at != path.npos;) {
    const std::size_t end = path.find('/', at);
    const std::string part = path.substr(0, end);
    at = end == path.npos ? end : path.find_first_not_of('/', end);
    const bool last = at == path.npos;
    if (::mkdir(part.c_str(), last ? mode : 0755) == 0) {
      if (last && ::chmod(part.c_str(), mode) != 0) return errno;
      continue;
    }
    const int err = errno;
    struct stat seen {};
    if (::stat(part.c_str(), &seen) != 0) return err == EEXIST ? ENOENT : err;  // a link that leads nowhere
    if (!S_ISDIR(seen.st_mode)) return last && err == EEXIST ? EEXIST : ENOTDIR;
  }
  return 0;
}

result<void> make_directory(const guest_file_request& wanted) {
  const mode_t mode = static_cast<mode_t>(wanted.mode.value_or(0755));
  int failed = 0;
  if (wanted.parents) failed = make_directories(wanted.path, mode);
  else if (::mkdir(wanted.path.c_str(), mode) != 0 || ::chmod(wanted.path.c_str(), mode) != 0) failed = errno;
  if (failed != 0) return file_error(failed, "cannot make a directory", wanted.path);
  return {};
}

result<void> rename_path(const guest_file_request& wanted) {
  if (::rename(wanted.path.c_str(), wanted.other.c_str()) != 0)
    return file_error(errno, "cannot rename a file", wanted.path);
  return {};
}

}  // namespace berth::guest
