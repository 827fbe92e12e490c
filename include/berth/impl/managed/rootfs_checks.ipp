// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/rooted.hpp>
#include <berth/docker/plan.hpp>
#include <berth/docker/versions.hpp>
#include <berth/managed/machine_checks.hpp>
#include <berth/sandbox/reach.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace berth {
namespace detail {

// Whether one of `paths` is there below the root.
inline std::string find_inside(const rooted& root, std::initializer_list<const char*> paths) {
  for (const char* path : paths)
    if (root.open_inside(path, O_PATH)) return std::string("/") + path;
  return {};
}

inline machine_check tool_check(const rooted& root, const std::string& name, std::initializer_list<const char*> paths,
                                bool needed, const std::string& remedy) {
  const std::string at = find_inside(root, paths);
  if (!at.empty()) return {"rootfs " + name, check_state::found, at, {}, needed};
  return {"rootfs " + name, check_state::missing, "not in the root file system", remedy, needed};
}

inline std::string version_text(const char* name, const program_version& version) {
  return std::string(name) + " " + (version.known() ? version.to_string() : "of unknown version");
}

// The first setuid program of root's, or device node, that is found; empty where there is none. Links are not followed.
inline std::string find_trap(const std::string& rootfs) {
  std::error_code failed;
  std::filesystem::recursive_directory_iterator at(rootfs, std::filesystem::directory_options::skip_permission_denied,
                                                   failed);
  for (; !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    struct stat info {};
    if (::lstat(at->path().c_str(), &info) != 0) continue;
    const bool device = S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode);
    const bool setuid = S_ISREG(info.st_mode) && (info.st_mode & S_ISUID) != 0 && (info.st_mode & 0111) != 0;
    // A device 0:0 is a layer's mark for a file that was removed.
    if (setuid || (device && info.st_rdev != 0)) return at->path().string();
  }
  return {};
}

// Its programs are not this machine's: whoever can run a setuid one of them has its defects to try.
inline machine_check reach_check(const std::string& rootfs) {
  machine_check out{"rootfs closed to other users", check_state::found, {}, {}, false};
  const auto reached = others_reach(rootfs);
  struct stat info {};
  const bool shut = ::stat(rootfs.c_str(), &info) == 0 && (info.st_mode & 0011) == 0;
  if (shut || (reached && !*reached)) {
    out.what = "they cannot get into it";
  } else if (is_inert_mount(rootfs)) {
    out.what = "it is mounted nosuid,nodev";
  } else if (const std::string trap = find_trap(rootfs); trap.empty()) {
    out.what = "no setuid program and no device node is in it";
  } else {
    out.state = check_state::unfit;
    out.what = "other users of this host get to " + trap;
    out.remedy = "keep it below a directory of root's with mode 0700: mkdir -m 0700 DIR; mv " + rootfs + " DIR/";
  }
  return out;
}

}  // namespace detail

BERTH_DECL std::vector<machine_check> check_rootfs(const examined_rootfs& examined, std::uint32_t release,
                                                   bool packet_writes) {
  const std::string& rootfs = examined.directory;
  std::vector<machine_check> out;
  const auto root = rooted::open(rootfs, "managed");
  if (!root) {
    out.push_back({"rootfs", check_state::missing, root.error().message + " (" + rootfs + ")",
                   "name a directory that holds one", true});
    return out;
  }
  if (examined.image.empty()) {
    out.push_back({"rootfs", check_state::found, rootfs, {}, true});
    out.push_back(detail::reach_check(rootfs));
  } else {  // who can get to it will depend on where it is unpacked to stay
    out.push_back({"image", check_state::found, examined.image, {}, true});
  }

  const auto dockerd = has_dockerd(rootfs);
  if (!dockerd || !*dockerd) {
    out.push_back({"rootfs dockerd", check_state::missing,
                   dockerd ? "no dockerd in the root file system" : dockerd.error().message,
                   "install docker.io (Debian, Ubuntu), docker-ce or docker (Alpine) in it", true});
    return out;
  }
  const auto versions = read_docker_versions(rootfs);
  if (!versions) {
    out.push_back({"rootfs dockerd", check_state::unfit, versions.error().to_string(), versions.error().hint, true});
    return out;
  }
  out.push_back({"rootfs dockerd",
                 check_state::found,
                 detail::version_text("Docker", versions->docker) + ", " +
                     detail::version_text("containerd", versions->containerd) + ", " +
                     detail::version_text("runc", versions->runc),
                 {},
                 true});

  docker_plan_options options;
  options.versions = *versions;
  options.runsc_release = release;
  machine_check pair{"rootfs Docker with this runsc", check_state::found, "the pair works", {}, true};
  if (const auto plan = plan_docker(options); !plan) {
    pair.state = check_state::unfit;
    pair.what = plan.error().message;
    pair.remedy = plan.error().hint;
  } else {
    if (plan->wraps_runc) pair.what = "works with berth's wrapper around runc";
    for (const std::string& warning : plan->warnings) pair.what += "; " + warning;
    if (!plan->gaps.empty()) {
      pair.state = check_state::unfit;
      pair.what = plan->gaps.front();
      pair.remedy = "take a newer runsc";
    }
    if (plan->needs_packet_socket_write && !packet_writes) {
      pair.state = check_state::unfit;
      pair.what = "this Docker writes to packet sockets, which this runsc cannot allow";
      pair.remedy = "take runsc release-20251208.0 or later, or Docker 27 or earlier in the root file system";
    }
  }
  out.push_back(pair);

  out.push_back(detail::tool_check(
      *root, "iptables-legacy", {"usr/sbin/iptables-legacy", "sbin/iptables-legacy", "usr/bin/iptables-legacy"}, false,
      "install iptables in it: names on Docker's user networks and nested containers' way out need "
      "the legacy variant"));
  out.push_back(detail::tool_check(
      *root, "ip", {"usr/sbin/ip", "sbin/ip", "usr/bin/ip", "bin/ip"}, false,
      "install iproute2 in it: dockerd's MTU and the way out of nested containers are taken from it"));
  out.push_back(detail::tool_check(*root, "docker client", {"usr/bin/docker", "usr/local/bin/docker"}, false,
                                   "install docker-cli in it to use docker inside the sandbox"));
  return out;
}

}  // namespace berth
