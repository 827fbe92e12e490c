// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/sandbox/reach.hpp>

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace berth {

BERTH_DECL result<bool> others_reach(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), &::free);
  if (!real) return errno_error(errno, "sandbox", "cannot resolve the path", path);
  std::string above = real.get();
  while (above.size() > 1) {
    above.resize(std::max<std::size_t>(above.rfind('/'), 1));
    struct stat info {};
    if (::stat(above.c_str(), &info) != 0) return errno_error(errno, "sandbox", "cannot open the directory", above);
    // With an ACL the group's bits are its mask: no entry of it grants more.
    const bool ours = info.st_uid == 0 || info.st_uid == ::geteuid();
    if (ours && (info.st_mode & 0011) == 0) return false;
  }
  return true;
}

BERTH_DECL bool is_inert_mount(const std::string& path) noexcept {
  struct statvfs info {};
  constexpr unsigned long inert = ST_NOSUID | ST_NODEV;
  return ::statvfs(path.c_str(), &info) == 0 && (info.f_flag & inert) == inert;
}

}  // namespace berth
