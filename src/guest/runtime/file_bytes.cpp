// SPDX-License-Identifier: Apache-2.0
#include "file_bytes.hpp"

#include <berth/base/unique_fd.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstddef>
#include <set>
#include <string_view>
#include <vector>

namespace berth::guest {

std::uint64_t bytes_on_tmpfs(const std::string& path, std::uint64_t limit) {
  constexpr std::size_t most_files = 200'000;
  struct statfs where {};
  struct stat top {};
  if (::statfs(path.c_str(), &where) != 0 || where.f_type != TMPFS_MAGIC || ::stat(path.c_str(), &top) != 0) return 0;
  if (S_ISREG(top.st_mode)) return static_cast<std::uint64_t>(top.st_blocks) * 512;
  std::uint64_t sum = 0;
  std::size_t files = 0;
  std::set<ino_t> named_twice;
  std::vector<std::string> waiting{path};
  while (!waiting.empty()) {
    const std::string directory = std::move(waiting.back());
    waiting.pop_back();
    DIR* const entries = ::opendir(directory.c_str());
    if (entries == nullptr) continue;
    while (const dirent* entry = ::readdir(entries)) {
      const std::string_view name = entry->d_name;
      struct stat info {};
      if (name == "." || name == ".." || ::fstatat(::dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
          info.st_dev != top.st_dev)
        continue;
      if (S_ISDIR(info.st_mode)) waiting.push_back(directory + "/" + entry->d_name);
      if (!S_ISREG(info.st_mode) || (info.st_nlink > 1 && !named_twice.insert(info.st_ino).second)) continue;
      sum += static_cast<std::uint64_t>(info.st_blocks) * 512;
      if (sum >= limit || ++files >= most_files) {
        ::closedir(entries);
        return limit;
      }
    }
    ::closedir(entries);
  }
  return sum;
}

}  // namespace berth::guest
