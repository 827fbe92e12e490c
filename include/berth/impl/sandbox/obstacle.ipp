// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/detail/obstacle.hpp>

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <cstdint>

namespace berth::detail {

BERTH_DECL std::string find_obstacle(const std::string& directory) {
  struct statvfs disk {};
  if (::statvfs(directory.c_str(), &disk) == 0 && disk.f_blocks > 0) {
    if (disk.f_bavail * disk.f_frsize < (std::uint64_t{1} << 20))
      return "the disk is full where " + directory + " is: free space there";
    if (disk.f_files > 0 && disk.f_favail == 0)
      return "the file system has no inodes left where " + directory + " is: remove files there";
  }
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    return "the address space is limited to " + std::to_string(limit.rlim_cur >> 20) +
           " MiB (ulimit -v), which gVisor cannot work with: lift that limit, and give the sandbox a memory limit instead";
  }
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 256) {
    return "the limit of open files is " + std::to_string(limit.rlim_cur) +
           ", too low for runsc: raise it to 1024 or more (ulimit -n)";
  }
  return {};
}

}  // namespace berth::detail
