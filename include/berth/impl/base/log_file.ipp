// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/log_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

namespace berth {

BERTH_DECL result<log_file> log_file::open(std::string path, std::string_view layer, std::uint64_t limit) {
  log_file out(std::move(path), limit);
  if (!out.reopen()) return errno_error(errno, layer, "cannot open the log", out.path_);
  return out;
}

BERTH_DECL bool log_file::reopen() {
  fd_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) return false;
  struct stat info;
  size_ = ::fstat(fd_.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  return true;
}

BERTH_DECL void log_file::write(std::string_view data) {
  if (size_ != 0 && size_ + data.size() > limit_) {
    // The name goes before the new file is there: a reader that has the old one open reads it to its end.
    if (::rename(path_.c_str(), (path_ + ".1").c_str()) == 0) (void)reopen();
  }
  if (fd_ && write_all(fd_.get(), data) == 0) size_ += data.size();
}

BERTH_DECL void log_file::write_line(std::string_view line) {
  std::string text(line);
  text += '\n';
  write(text);
}

}  // namespace berth
