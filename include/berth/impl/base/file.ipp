// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace berth {

BERTH_DECL int read_all(int fd, std::string& out, std::size_t limit) {
  struct stat info {};
  // One more than a file holds, so that its end is seen without growing; /proc says 0.
  std::size_t room = ::fstat(fd, &info) == 0 && info.st_size > 0 ? static_cast<std::size_t>(info.st_size) + 1 : 4096;
  const std::size_t before = out.size();
  std::size_t used = before;
  for (;;) {
    if (used == out.size()) out.resize(used + std::min(room, limit + 1 - (used - before)));
    const ssize_t n = ::read(fd, out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    const int failed = n < 0 ? errno : 0;
    if (n > 0) used += static_cast<std::size_t>(n);
    const bool too_big = used - before > limit;
    if (n > 0 && !too_big) {
      if (used == out.size()) room = std::max<std::size_t>(4096, used);
      continue;
    }
    out.resize(used);
    return too_big ? EFBIG : failed;
  }
}

BERTH_DECL int write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd wait{fd, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

namespace detail {

inline result<unique_fd> open_regular_file(const std::string& path, std::string_view layer, std::size_t& size) {
  unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!fd) return errno_error(errno, layer, "cannot open the file", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error(errno, layer, "cannot look at the file", path);
  if (!S_ISREG(info.st_mode)) return make_error(errc::invalid, layer, "not a regular file", path);
  size = static_cast<std::size_t>(info.st_size);
  return fd;
}

}  // namespace detail

BERTH_DECL result<std::string> read_file(const std::string& path, std::size_t limit, std::string_view layer) {
  std::size_t size = 0;
  const auto fd = detail::open_regular_file(path, layer, size);
  if (!fd) return fd.error();
  std::string text;
  const int failed = read_all(fd->get(), text, limit);
  if (failed == EFBIG) return make_error(errc::too_big, layer, "the file is too long", path);
  if (failed != 0) return errno_error(failed, layer, "cannot read the file", path);
  return text;
}

BERTH_DECL result<std::string> read_file_end(const std::string& path, std::size_t limit, std::string_view layer) {
  std::size_t size = 0;
  const auto fd = detail::open_regular_file(path, layer, size);
  if (!fd) return fd.error();
  std::string text;
  int failed = 0;
  if (size > limit && ::lseek(fd->get(), static_cast<off_t>(size - limit), SEEK_SET) < 0) failed = errno;
  if (failed == 0) failed = read_all(fd->get(), text, limit);
  if (failed == EFBIG) failed = 0;  // it has grown meanwhile
  if (failed != 0) return errno_error(failed, layer, "cannot read the file", path);
  if (text.size() > limit) text.resize(limit);
  return text;
}

BERTH_DECL int try_read_system_file(const std::string& path, std::string& out, std::size_t limit) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return errno;
  const std::size_t before = out.size();
  const int failed = read_all(fd.get(), out, limit);
  if (failed == EFBIG) out.resize(before + limit);
  return failed;
}

BERTH_DECL std::string read_system_file(const std::string& path, std::size_t limit) {
  std::string text;
  (void)try_read_system_file(path, text, limit);
  return text;
}

BERTH_DECL pid_t read_pid_file(const std::string& path) {
  const auto text = read_file(path, 64, "base");
  if (!text) return 0;
  const std::string_view digits = std::string_view(*text).substr(0, text->find('\n'));
  const auto pid = parse_number<pid_t>(digits);
  return pid && *pid > 0 ? *pid : 0;
}

BERTH_DECL result<unique_fd> memory_file(const char* name, std::string_view content, std::string_view layer) {
  unique_fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return errno_error(errno, layer, "cannot make a file in memory");
  if (const int failed = write_all(fd.get(), content); failed != 0)
    return errno_error(failed, layer, "cannot write a file in memory");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

BERTH_DECL result<void> replace_file(const std::string& path, std::string_view text, mode_t mode,
                                     std::string_view layer) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const auto fail = [&](int failed, const char* message) {
    ::unlink(temporary.c_str());
    return errno_error(failed, layer, message, temporary);
  };
  {
    const unique_fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return errno_error(errno, layer, "cannot make the file", temporary);
    if (::fchmod(fd.get(), mode) != 0) return fail(errno, "cannot make the file");  // whatever the umask took away
    if (const int failed = write_all(fd.get(), text); failed != 0) return fail(failed, "cannot write the file");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(errno, "cannot put the file in its place");
  return {};
}

}  // namespace berth
