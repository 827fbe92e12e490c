// SPDX-License-Identifier: Apache-2.0
#include "log_file.hpp"

#include "output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace berth::cli {
namespace {

// What is new behind `offset`. False when standard output is closed.
bool copy_new(int fd, off_t& offset) {
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    offset += n;
    if (!print_text({buffer, static_cast<std::size_t>(n)})) return false;
  }
}

// A log may lie on hostile ground: no FIFO holds us up, and nothing but a file is read.
unique_fd open_log(const std::string& path) {
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat info;
  if (fd && ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode)) return fd;
  if (fd) errno = EINVAL;
  return {};
}

bool same_file(int fd, const std::string& path) {
  struct stat open_one, named;
  return ::fstat(fd, &open_one) == 0 && ::lstat(path.c_str(), &named) == 0 && open_one.st_ino == named.st_ino &&
         open_one.st_dev == named.st_dev;
}

}  // namespace

result<bool> print_log(const std::string& path, bool follow, const std::function<bool()>& ended) {
  const std::string old = path + ".1";
  const unique_fd previous = open_log(old);
  unique_fd current = open_log(path);
  if (!current && errno != ENOENT) return errno_error(errno, "cli", "cannot read the log", path);
  if (!current && !previous && !follow) return errno_error(ENOENT, "cli", "there is no such log (yet)", path);
  off_t offset = 0;
  // The current file may have become the old one between the two opens.
  if (previous && !(current && same_file(current.get(), old)) && !copy_new(previous.get(), offset)) return false;
  offset = 0;
  if (!follow) return !current || copy_new(current.get(), offset);

  const unique_fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) return errno_error(errno, "cli", "cannot watch the log", path);
  const std::string directory = path.substr(0, path.rfind('/'));
  ::inotify_add_watch(watch.get(), directory.c_str(), IN_MODIFY | IN_MOVED_FROM | IN_CREATE | IN_DELETE_SELF);
  for (;;) {
    const bool over = ended();  // asked before the last read, so that nothing written until then is missed
    if (current && !copy_new(current.get(), offset)) return false;
    if (!current || !same_file(current.get(), path)) {
      unique_fd next = open_log(path);
      if (next) {
        if (current && !copy_new(current.get(), offset)) return false;  // what came before it was renamed
        current = std::move(next);
        offset = 0;
        continue;
      }
    }
    if (over) return true;
    struct pollfd wait {
      watch.get(), POLLIN, 0
    };
    ::poll(&wait, 1, 500);  // at the latest then `ended` is asked again
    char events[4096];
    while (::read(watch.get(), events, sizeof events) > 0) {
    }
  }
}

}  // namespace berth::cli
