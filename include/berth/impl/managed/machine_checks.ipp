// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/docker/plan.hpp>
#include <berth/managed/detail/firewall_checks.hpp>
#include <berth/managed/machine_checks.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/sandbox/root_directory.hpp>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

namespace berth {
namespace detail {

inline machine_check check_root() {
  const uid_t uid = ::geteuid();
  if (uid == 0) return {"root", check_state::found, "running as root", {}, true};
  return {"root", check_state::unfit, "running as uid " + std::to_string(uid),
          "namespaces, mounts and runsc's sandboxes are root's: run it by sudo", true};
}

inline machine_check check_kernel() {
  machine_check out{"kernel", check_state::found, {}, {}, true};
  struct utsname name;
  if (::uname(&name) != 0) return {"kernel", check_state::unfit, std::strerror(errno), {}, true};
  out.what = std::string(name.sysname) + " " + name.release + " " + name.machine;
  int major = 0, minor = 0;
  std::sscanf(name.release, "%d.%d", &major, &minor);
  // 5.3 brought pidfd_open, 5.6 openat2, 5.10 the nosymfollow mount option that guards the shared directory.
  if (major < 5 || (major == 5 && minor < 10)) {
    out.state = check_state::unfit;
    out.remedy = "berth needs Linux 5.10 or later: pidfds, openat2 and nosymfollow mounts";
    return out;
  }
  const long fd = ::syscall(SYS_pidfd_open, ::getpid(), 0);
  if (fd < 0) {
    out.state = check_state::unfit;
    out.what += ", pidfd_open: " + std::string(std::strerror(errno));
    out.remedy = "something (a seccomp profile?) forbids pidfd_open: allow it";
    return out;
  }
  ::close(static_cast<int>(fd));
  return out;
}

inline machine_check check_capabilities() {
  machine_check out{"capabilities", check_state::found, "SYS_ADMIN and NET_ADMIN", {}, true};
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0)
    return {"capabilities", check_state::unfit, std::string("capget: ") + std::strerror(errno), {}, true};
  std::string lacking;
  for (const auto& [bit, name] : {std::pair{CAP_SYS_ADMIN, "SYS_ADMIN"}, std::pair{CAP_NET_ADMIN, "NET_ADMIN"}})
    if ((data[bit >> 5].effective & (1u << (bit & 31))) == 0)
      lacking += (lacking.empty() ? "" : ", ") + std::string(name);
  if (!lacking.empty()) {
    out.state = check_state::missing;
    out.what = "without " + lacking;
    out.remedy = "run berth with these capabilities: mounts, namespaces and links need them";
  }
  return out;
}

inline machine_check check_program(const std::string& program, const std::string& package, const std::string& use) {
  const std::string path = find_host_program(program);
  if (!path.empty()) return {program, check_state::found, path, {}, true};
  return {program, check_state::missing, "not on the search path", "install " + package + ": " + use, true};
}

// What runsc before 20240807.0 looks at: Linux 6.11 shows it in every network namespace. In one that ends with the thread.
inline bool looks_like_the_root_namespace() {
  bool seen = false;
  std::thread([&seen] {
    if (::unshare(CLONE_NEWNET) == 0) seen = ::access("/proc/sys/net/core/rmem_default", F_OK) == 0;
  }).join();
  return seen;
}

inline void check_runsc(const environment& where, std::vector<machine_check>& out, std::uint32_t& release,
                        bool& packet_writes) {
  const auto binary = find_sandbox_runsc_blocking(where);
  if (!binary) {
    const error& e = binary.error();
    out.push_back({"runsc", e.code == errc::runsc_not_found ? check_state::missing : check_state::unfit,
                   e.message + (e.path.empty() ? "" : " (" + e.path + ")"),
                   e.hint.empty() ? "install runsc release-20260701.0 or later" : e.hint, true});
    return;
  }
  release = binary->version().date;
  packet_writes = !binary->packet_write_flag().empty();
  machine_check main{"runsc", check_state::found, binary->path() + ", " + binary->version().text, {}, true};
  // The spec's cgroup mount with the devices controller, without which dockerd does not start.
  const auto before = [&](std::uint32_t date) {
    return binary->version().known() && !binary->version().at_least(date);
  };
  if (before(docker_needs_runsc::devices_cgroup)) {
    main.state = check_state::unfit;
    main.remedy =
        "Docker inside needs the sandbox's own cgroups, which came with release-20231218.0: take a newer runsc";
  }
  out.push_back(main);
  if (before(docker_needs_runsc::namespaces) && looks_like_the_root_namespace())
    out.push_back(
        {"runsc network", check_state::unfit,
         "on this kernel this runsc takes every network namespace for the host's, and refuses a sandbox with a network",
         "take runsc release-20240807.0 or later; a sandbox without network works", true});
  if (before(docker_needs_runsc::exec))
    out.push_back({"runsc docker exec", check_state::unfit,
                   "docker exec, and with it health checks, fails: this runsc cannot enter a pid namespace",
                   "take runsc release-20250707.0 or later", true});
  if (before(docker_needs_runsc::host_overlay))
    out.push_back({"runsc host data root", check_state::unfit,
                   "no overlay on a directory of the host: with a data root there dockerd falls back to vfs",
                   "take runsc release-20260520.0 or later, or make it " + hints::data_root_in_memory(), false});
  for (const auto& [flag, use] : {std::pair{"net-raw", "Docker's networks need raw sockets"},
                                  std::pair{"host-uds", "the host reaches Docker's socket by it"},
                                  std::pair{"overlay2", "the root file system stays unwritten by it"}}) {
    machine_check c{std::string("runsc --") + flag, check_state::found, use, {}, true};
    if (const auto has = binary->require("", flag); !has) {
      c.state = check_state::missing;
      c.what = has.error().message;
      c.remedy = has.error().hint.empty() ? "take a newer runsc" : has.error().hint;
    }
    out.push_back(c);
  }
  machine_check packet{"runsc packet-socket writes", check_state::found, {}, {}, false};
  if (packet_writes) {
    packet.what = "--" + std::string(binary->packet_write_flag());
  } else {
    packet.state = check_state::missing;
    packet.what = "this runsc has neither name of the flag";
    packet.remedy = "Docker 28 and later need it: take runsc release-20251208.0 or later, or an older Docker inside";
  }
  out.push_back(packet);
}

inline machine_check check_init(const environment& where) {
  const auto init = find_init(where);
  if (init) return {"berth-init", check_state::found, *init, {}, true};
  const error& e = init.error();
  return {"berth-init", check_state::missing, e.message + (e.path.empty() ? "" : " (" + e.path + ")"),
          e.hint.empty() ? "it is built and installed with berth; name its place by BERTH_INIT" : e.hint, true};
}

inline machine_check check_state_directory(const environment& where) {
  machine_check out{"state directory", check_state::found, where.root, {}, true};
  if (const auto fits = check_socket_paths(where.root, {}); !fits) {
    out.state = check_state::unfit;
    out.what += ": " + fits.error().message;
    out.remedy = fits.error().hint;
    return out;
  }
  std::filesystem::path existing = where.root;
  while (!existing.empty() && ::access(existing.c_str(), F_OK) != 0 && existing.has_relative_path())
    existing = existing.parent_path();
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    out.state = check_state::unfit;
    out.what += ": " + std::string(std::strerror(errno));
    out.remedy = "make it writable for root, or choose another by BERTH_ROOT";
    return out;
  }
  struct statfs fs;
  if (::statfs(existing.c_str(), &fs) == 0) {
    const std::uint64_t free = static_cast<std::uint64_t>(fs.f_bavail) * static_cast<std::uint64_t>(fs.f_bsize);
    char shown[32];
    std::snprintf(shown, sizeof shown, ", %.1fGiB free", static_cast<double>(free) / (1u << 30));
    out.what += shown;
    if (free < (256u << 20)) {
      out.state = check_state::unfit;
      out.remedy = "less than 256 MiB are free: what sandboxes write to their root file system lands there";
    }
  }
  return out;
}

}  // namespace detail

BERTH_DECL std::string_view check_state_name(check_state state) noexcept {
  switch (state) {
    case check_state::found: return "found";
    case check_state::missing: return "missing";
    case check_state::unfit: return "unfit";
  }
  return "unfit";
}

BERTH_DECL bool is_fit(const std::vector<machine_check>& checks) {
  return std::ranges::all_of(checks, [](const machine_check& c) { return !c.needed || c.state == check_state::found; });
}

BERTH_DECL void write_members(json_writer& to, const std::vector<machine_check>& checks) {
  to.key("ok").boolean(is_fit(checks)).key("checks").open_array();
  for (const machine_check& c : checks) {
    to.open_object().key("name").string(c.name).key("state").string(check_state_name(c.state));
    to.key("needed").boolean(c.needed).key("found").string(c.what);
    if (!c.remedy.empty()) to.key("remedy").string(c.remedy);
    to.close_object();
  }
  to.close_array();
}

BERTH_DECL std::vector<machine_check> check_machine(const environment& where, const examined_rootfs& rootfs) {
  std::vector<machine_check> out{detail::check_root(), detail::check_kernel(), detail::check_capabilities()};
  std::uint32_t release = 0;
  bool packet_writes = false;
  detail::check_runsc(where, out, release, packet_writes);
  out.push_back(detail::check_program("ip", "iproute2", "it makes the sandboxes' network namespaces and links"));
  out.push_back(detail::check_program("nft", "nftables", "it makes the host's NAT for the sandboxes"));
  if (::geteuid() == 0) out.push_back(detail::check_firewall());
  if (::geteuid() == 0) {
    if (auto rules = detail::check_sandbox_rules(where)) out.push_back(std::move(*rules));
  }
  out.push_back(detail::check_init(where));
  out.push_back(detail::check_state_directory(where));
  if (!rootfs.directory.empty()) {
    for (machine_check& c : check_rootfs(rootfs, release, packet_writes)) out.push_back(std::move(c));
  }
  return out;
}

}  // namespace berth
