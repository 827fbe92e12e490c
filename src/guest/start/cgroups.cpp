// SPDX-License-Identifier: Apache-2.0
#include "start/cgroups.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace berth::guest {
namespace {

constexpr const char* cgroups = "/sys/fs/cgroup";
constexpr long version_2 = 0x63677270;  // CGROUP2_SUPER_MAGIC
// The name that runc and systemd give such a directory; the controllers' own are links to it.
constexpr const char* hierarchy = "/sys/fs/cgroup/cpu,cpuacct,cpuset,devices,job,memory,pids";
constexpr std::string_view controllers = "cpu,cpuacct,cpuset,devices,job,memory,pids";

std::string failure(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

bool is_version_2() {
  struct statfs info {};
  return ::statfs(cgroups, &info) == 0 && info.f_type == version_2;
}

bool write_controllers(std::string_view words) {
  const unique_fd file(::open((std::string(cgroups) + "/cgroup.subtree_control").c_str(), O_WRONLY | O_CLOEXEC));
  return file && write_all(file.get(), words) == 0;
}

bool link_controllers() {
  const std::string target(std::strrchr(hierarchy, '/') + 1);
  for (std::string_view rest = controllers; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (::symlink(target.c_str(), (std::string(cgroups) + "/" + std::string(name)).c_str()) != 0) return false;
  }
  return true;
}

}  // namespace

std::string join_cgroups() {
  if (!is_version_2() || read_system_file("/proc/cgroups").find("\npids\t") != std::string::npos) return {};
  // A controller is one version's or the other's.
  if (!write_controllers("-cpu -cpuset -memory -pids")) return failure("cannot take the controllers from cgroup v2");
  std::string failed;
  if (::umount2(cgroups, MNT_DETACH) != 0) {
    failed = failure("cannot unmount cgroup v2");
  } else {
    bool mounted = ::mount("cgroup", cgroups, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755") == 0;
    if (mounted && ::mkdir(hierarchy, 0755) == 0 &&
        ::mount("cgroup", hierarchy, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, std::string(controllers).c_str()) ==
            0 &&
        link_controllers())
      return {};
    failed = failure("cannot mount the cgroups in one hierarchy");
    ::umount2(hierarchy, MNT_DETACH);
    if (mounted) ::umount2(cgroups, MNT_DETACH);
    ::mount("cgroup", cgroups, "cgroup2", 0, nullptr);
  }
  write_controllers("+cpu +cpuset +memory +pids");
  return failed;
}

}  // namespace berth::guest
