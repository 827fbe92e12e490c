#include "log_file.hpp"

#include "output.hpp"

#include <berth/base/file.hpp>

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

bool same_file(int fd, const std::string& path) {
  struct stat open_one, named;
  return ::fstat(fd, &open_one) == 0 && ::stat(path.c_str(), &named) == 0 && open_one.st_ino == named.st_ino &&
         open_one.st_dev == named.st_dev;
}

}  // namespace

result<log_file> log_file::open(std::string path, std::uint64_t limit) {
  log_file out(std::move(path), limit);
  if (auto done = out.reopen(); !done) return done.error();
  return out;
}

result<void> log_file::reopen() {
  fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) return errno_error(errno, "cli", "cannot open the log", path_);
  struct stat info;
  size_ = ::fstat(fd_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  return {};
}

void log_file::write(std::string_view data) {
  if (size_ != 0 && size_ + data.size() > limit_) {
    // The name goes before the new file is there: a reader that has the old one open reads it to its end.
    if (::rename(path_.c_str(), (path_ + ".1").c_str()) == 0) (void)reopen();
  }
  if (fd_ && write_all(fd_.get(), data) == 0) size_ += data.size();
}

void log_file::write_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  write(text);
}

result<bool> print_log(const std::string& path, bool follow, const std::function<bool()>& ended) {
  const std::string old = path + ".1";
  unique_fd previous(::open(old.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  unique_fd current(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
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
      unique_fd next(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
      if (next) {
        if (current && !copy_new(current.get(), offset)) return false;  // what came before it was renamed
        current = std::move(next);
        offset = 0;
        continue;
      }
    }
    if (over) return true;
    struct pollfd wait{watch.get(), POLLIN, 0};
    ::poll(&wait, 1, 500);  // at the latest then `ended` is asked again
    char events[4096];
    while (::read(watch.get(), events, sizeof events) > 0) {
    }
  }
}

}  // namespace berth::cli
