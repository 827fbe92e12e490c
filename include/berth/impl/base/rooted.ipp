// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/rooted.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace berth {

BERTH_DECL result<rooted> rooted::open(const std::string& directory, std::string_view layer) {
  rooted root;
  root.directory_.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.directory_) return errno_error(errno, layer, "cannot open the root file system", directory);
  return root;
}

BERTH_DECL unique_fd rooted::open_inside(const std::string& path, int flags) const noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return unique_fd(static_cast<int>(::syscall(SYS_openat2, directory_.get(), path.c_str(), &how, sizeof how)));
}

BERTH_DECL result<std::string> rooted::read(const std::string& path, std::size_t limit, std::string_view layer) const {
  std::string text;
  // O_NONBLOCK: the opening of a FIFO would wait for a writer.
  const unique_fd fd = open_inside(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO) return text;  // ENXIO: a socket
    return errno_error(errno, layer, "cannot read a file of the root file system", path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return text;
  const int failed = read_all(fd.get(), text, limit);
  if (failed == EFBIG) return make_error(errc::too_big, layer, "a file of the root file system is too long", path);
  if (failed != 0) return errno_error(failed, layer, "cannot read a file of the root file system", path);
  return text;
}

}  // namespace berth
