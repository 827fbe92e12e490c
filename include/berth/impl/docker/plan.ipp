// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/plan.hpp>
#include <berth/docker/start_arguments.hpp>

#include <arpa/inet.h>

namespace berth {
namespace detail {

inline bool plain_absolute_path(std::string_view path) noexcept {
  return path.size() > 1 && path.front() == '/' && path.find('\0') == std::string_view::npos;
}

inline result<void> check_plan_options(const docker_plan_options& o) {
  if (o.sockets.empty()) return make_error(errc::invalid, "docker", "dockerd needs a socket to listen on", "sockets");
  for (const std::string& socket : o.sockets)
    if (!plain_absolute_path(socket))
      return make_error(errc::invalid, "docker", "a socket must be an absolute path", socket);
  if (!plain_absolute_path(o.data_root))
    return make_error(errc::invalid, "docker", "the data root must be an absolute path", o.data_root);
  in_addr parsed{};
  if (!o.uplink_address.empty() && ::inet_pton(AF_INET, o.uplink_address.c_str(), &parsed) != 1)
    return make_error(errc::invalid, "docker", "the uplink's address must be IPv4, without a prefix length",
                      o.uplink_address);
  if (o.dockerd.empty()) return make_error(errc::invalid, "docker", "the name of dockerd is empty", "dockerd");
  const auto has_nul = [](const std::string& s) { return s.find('\0') != std::string::npos; };
  for (const std::string& arg : o.dockerd_args)
    if (has_nul(arg)) return make_error(errc::invalid, "docker", "a NUL in an argument of dockerd", "dockerd_args");
  for (const std::string& entry : o.env)
    if (has_nul(entry) || entry.find('=') == std::string::npos || entry.front() == '=')
      return make_error(errc::invalid, "docker", "an environment entry must be K=V", entry);
  if (!plain_absolute_path(o.guest))
    return make_error(errc::invalid, "docker",
                      "the guest program, which starts dockerd, must be an absolute path inside", o.guest,
                      "bind berth-init in (docker_recipe::guest) and name the place here");
  for (const std::string* text : {&o.uplink_device, &o.storage_driver, &o.dockerd})
    if (has_nul(*text)) return make_error(errc::invalid, "docker", "a NUL in an option", *text);
  return {};
}

/// runc >= 1.3.6, 1.4.3 and 1.5.0 mask directories with nr_blocks= and nr_inodes= (opencontainers/runc#5275).
inline bool runc_masks_with_limits(const program_version& runc) noexcept {
  if (!runc.known()) return true;
  if (runc.at_least(1, 5)) return true;
  if (runc.at_least(1, 4)) return runc.at_least(1, 4, 3);
  return runc.at_least(1, 3, 6);
}

}  // namespace detail

BERTH_DECL result<void> check_docker_is_restored(const runsc_version& runsc) {
  if (!runsc.known() || runsc.at_least(docker_needs_runsc::snapshot)) return {};
  return make_error(errc::unsupported, "docker",
                    "a sandbox with Docker cannot be restored by runsc " + runsc.text +
                        ": its network stack fails afterwards, and ends the sandbox",
                    {}, "use runsc 20260905.0 or newer; sandboxes without Docker can be saved");
}

BERTH_DECL bool docker_needs_packet_socket_write(const docker_versions& versions) noexcept {
  return versions.docker.at_least(28);
}

BERTH_DECL result<docker_plan> plan_docker(const docker_plan_options& options) {
  BERTH_TRY(detail::check_plan_options(options));
  const auto before = [&](std::uint32_t release) {
    return options.runsc_release != 0 && options.runsc_release < release;
  };
  const std::string this_runsc = "runsc " + std::to_string(options.runsc_release);
  // Measured on 20240729: Docker 28's runc 1.3.6 ends with "unsafe procfs detected: incorrect procfs root inode number".
  if (before(docker_needs_runsc::procfs) && options.versions.docker.at_least(28))
    return make_error(errc::unsupported, "docker",
                      "Docker " + options.versions.docker.to_string() + " cannot run containers on " + this_runsc +
                          ": its runc refuses this runsc's /proc (unsafe procfs detected)",
                      {}, "use runsc 20250304.0 or newer (20260224.0 and 20260701.0 are tried), or Docker 27 or older");

  docker_plan plan;
  plan.needs_packet_socket_write = docker_needs_packet_socket_write(options.versions);
  // Not of one that is not known: a runsc refuses an option that it does not have.
  plan.joins_cgroups = options.runsc_release >= docker_needs_runsc::one_hierarchy;
  using wrapper = docker_plan_options::runc_wrapper;
  plan.wraps_runc = options.wrap_runc == wrapper::always ||
                    (options.wrap_runc == wrapper::automatic && before(docker_needs_runsc::masks) &&
                     detail::runc_masks_with_limits(options.versions.runc));

  std::vector<std::string> args;
  // The sentry's nftables are off, and dockerd's own rules need targets that it lacks: dockerd manages none.
  args.push_back("--iptables=false");
  args.push_back("--ip6tables=false");
  // The last of them first: dockerd serves them in order, the next some 10 ms later, and the host's is last.
  for (auto socket = options.sockets.rbegin(); socket != options.sockets.rend(); ++socket)
    args.push_back("--host=unix://" + *socket);
  if (options.data_root != "/var/lib/docker") args.push_back("--data-root=" + options.data_root);
  if (!options.storage_driver.empty()) {
    args.push_back("--storage-driver=" + options.storage_driver);
    if (options.storage_driver == "vfs")
      plan.warnings.push_back(
          "the vfs storage driver copies every layer: one build took 11.6 GB of memory against 781 MB "
          "with overlay2");
  }
  if (!options.data_root_mounted) {
    plan.warnings.push_back(
        "nothing is mounted on " + options.data_root +
        ": overlay on the sandbox's own overlay does not work, so dockerd falls back to vfs, which is "
        "slow and takes much memory");
    // Docker 29 stores images through containerd's overlay snapshotter, which cannot live there (gvisor#12475).
    if (options.versions.docker.at_least(29)) args.push_back("--feature=containerd-snapshotter=false");
  } else if (options.data_root_on_host && before(docker_needs_runsc::host_overlay) && options.storage_driver.empty()) {
    plan.gaps.push_back(
        this_runsc +
        " has no overlay on a directory of the host, which runsc 20260520.0 brought: on this data "
        "root dockerd falls back to vfs, which is slow and takes much disk; take a newer runsc, or a tmpfs");
    if (options.versions.docker.at_least(29)) args.push_back("--feature=containerd-snapshotter=false");
  }
  if (before(docker_needs_runsc::exec))
    plan.gaps.push_back("docker exec, and with it health checks, fails on " + this_runsc +
                        " (error executing setns process): it "
                        "cannot enter a pid namespace, which runsc 20250707.0 brought");
  plan.warnings.insert(plan.warnings.end(), plan.gaps.begin(), plan.gaps.end());
  if (options.uplink_mtu != 0) args.push_back("--mtu=" + std::to_string(options.uplink_mtu));
  args.insert(args.end(), options.dockerd_args.begin(), options.dockerd_args.end());

  plan.dockerd_argv.push_back(options.dockerd);
  plan.dockerd_argv.insert(plan.dockerd_argv.end(), args.begin(), args.end());

  docker_start_arguments start;
  start.device = options.uplink_device;
  start.address = options.uplink_address;
  start.mtu = options.uplink_mtu == 0;  // else it is among dockerd's arguments already
  start.snat = options.snat;
  start.data_root = options.data_root;
  using runtime = docker_start_arguments::runtime;
  start.before_runc = options.wrap_runc == wrapper::never ? runtime::plain
                      : plan.wraps_runc                   ? runtime::unmasking
                                                          : runtime::guest;
  start.dockerd = plan.dockerd_argv;
  plan.start.argv = format_docker_start(options.guest, start);
  plan.start.env = options.env;
  plan.start.cwd = "/";
  return plan;
}

BERTH_DECL start_marker parse_start_marker(std::string_view line, std::string_view nonce) noexcept {
  if (nonce.empty() || !line.starts_with("berth:")) return {};
  line.remove_prefix(6);
  if (!line.starts_with(nonce)) return {};
  line.remove_prefix(nonce.size());
  if (!line.starts_with(':')) return {};
  line.remove_prefix(1);
  const std::size_t blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  const std::string_view rest = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
  using kind = start_marker::kind;
  if (word == "missing") return {kind::missing, rest};
  if (word == "running") return {kind::running, rest};
  if (word == "failed") return {kind::failed, rest};
  if (word == "warning") return {kind::warning, rest};
  if (word == "stale") return {kind::stale, rest};
  if (word == "pid") return {kind::pid, rest};
  if (word == "network") return {kind::network, rest};
  return {};
}

}  // namespace berth
