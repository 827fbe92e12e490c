// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/runsc/diagnose.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace berth {
namespace detail {

struct directory_closer {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};

/// The last `limit` bytes of a regular file; false when it is anything else, or cannot be read.
inline bool read_log_tail(int directory, const char* name, std::size_t limit, std::string& out) {
  const unique_fd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  const std::size_t size = static_cast<std::size_t>(info.st_size);
  const std::size_t start = size > limit ? size - limit : 0;
  out.resize(size - start);
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t n = ::pread(fd.get(), out.data() + got, out.size() - got, static_cast<off_t>(start + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  out.resize(got);
  if (start != 0) out.erase(0, std::min(out.find('\n') + 1, out.size()));  // begins in the middle of a line
  return true;
}

}  // namespace detail

BERTH_DECL result<std::vector<runsc_log_file>> read_runsc_logs(const std::string& directory, std::size_t limit) {
  unique_fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error(errno, "runsc", "cannot open the directory of runsc's logs", directory);
  const std::unique_ptr<DIR, detail::directory_closer> list(::fdopendir(fd.get()));
  if (!list) return errno_error(errno, "runsc", "cannot read the directory of runsc's logs", directory);
  const int at = fd.release();  // the stream owns it now
  std::vector<std::pair<std::int64_t, std::string>> names;
  while (const dirent* const entry = ::readdir(list.get())) {
    struct stat info {};
    if (::fstatat(at, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) continue;
    names.emplace_back(std::int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec, entry->d_name);
  }
  // The newest first: they belong to what has just failed.
  std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<runsc_log_file> logs;
  for (auto& [when, name] : names) {
    if (limit == 0) break;
    runsc_log_file log;
    log.name = std::move(name);
    if (!detail::read_log_tail(at, log.name.c_str(), limit, log.text)) continue;
    limit -= std::min(limit, log.text.size());
    logs.push_back(std::move(log));
  }
  return logs;
}

}  // namespace berth
