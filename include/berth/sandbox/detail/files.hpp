// Small files of berth's own and of /proc.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

namespace berth::detail {

/// At most `limit` bytes of a file; empty when it cannot be read.
inline std::string read_proc_file(const std::string& path, std::size_t limit = 1u << 20) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string text;
  char buffer[4096];
  while (fd && text.size() < limit) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

/// A file whole. Errors: errno's, too_big.
inline result<std::string> read_whole_file(const std::string& path, std::size_t limit) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return errno_error(errno, "sandbox", "cannot open the file", path);
  std::string text;
  char buffer[8192];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error(errno, "sandbox", "cannot read the file", path);
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > limit) return make_error(errc::too_big, "sandbox", "the file is too long", path);
  }
}

/// Replaces a file of a directory that nobody else writes to, by rename. Not synced to the disk.
inline result<void> replace_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const auto fail = [&temporary](const char* message) {
    const int failed = errno;
    ::unlink(temporary.c_str());
    return errno_error(failed, "sandbox", message, temporary);
  };
  {
    const unique_fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return errno_error(errno, "sandbox", "cannot make the file", temporary);
    if (::fchmod(fd.get(), mode) != 0) return fail("cannot make the file");  // whatever the umask took away
    while (!text.empty()) {
      const ssize_t n = ::write(fd.get(), text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail("cannot write the file");
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail("cannot put the file in its place");
  return {};
}

}  // namespace berth::detail
