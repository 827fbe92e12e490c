// SPDX-License-Identifier: Apache-2.0
// What a given pair of runsc and Docker needs: dockerd's arguments and the steps before it, as a pure value.
#pragma once

#include <berth/base/result.hpp>
#include <berth/docker/recipe.hpp>
#include <berth/docker/versions.hpp>
#include <berth/process/executor.hpp>
#include <berth/runsc/runsc.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// The runsc releases that brought what Docker inside needs.
struct docker_needs_runsc {
  static constexpr std::uint32_t devices_cgroup = 20231218;  ///< dockerd starts
  static constexpr std::uint32_t namespaces =
      20240807;                                      ///< a network of its own on Linux 6.11 and newer (gvisor#10704)
  static constexpr std::uint32_t procfs = 20250304;  ///< the runc of Docker 28 takes /proc for a procfs
  static constexpr std::uint32_t exec = 20250707;    ///< setns into a pid namespace: docker exec, healthchecks
  static constexpr std::uint32_t host_overlay = 20260520;   ///< overlay2 on a directory of the host
  static constexpr std::uint32_t snapshot = 20260905;       ///< a restored sandbox forwards packets, and survives it
  static constexpr std::uint32_t one_hierarchy = 20260905;  ///< --in-sandbox-cgroup: the cgroups can be mounted as one
  static constexpr std::uint32_t masks = 20260714;  ///< tmpfs nr_blocks and nr_inodes, which runc 1.3.6 asks for
};

/// What dockerd's arguments and preparation depend on.
struct docker_plan_options {
  docker_versions versions;         ///< unknown ones count as the newest, but for flags that older ones refuse
  std::uint32_t runsc_release = 0;  ///< as a number, 20260701; 0: not known, planned for as the newest

  std::string uplink_device;     ///< the sandbox's way out, an interface; empty: its default route's
  std::string uplink_address;    ///< its IPv4 address without prefix; empty: asked of `ip` inside
  std::uint32_t uplink_mtu = 0;  ///< 0: asked of `ip` inside
  bool snat = true;              ///< nested containers reach the outside; false where there is no network

  /// Where dockerd listens. The first is the one that clients inside use; add shared_inside + "/docker.sock" for the
  /// host.
  std::vector<std::string> sockets = {"/var/run/docker.sock"};
  std::string data_root = "/var/lib/docker";
  bool data_root_mounted = true;   ///< a tmpfs or a host directory is mounted there; else: the root's overlay
  bool data_root_on_host = false;  ///< what is mounted there is a directory of the host
  std::string storage_driver;      ///< empty: dockerd chooses, but see plan_docker

  /// berth's guest program as seen inside, which starts dockerd and stands before runc as the nested runtime
  /// (docs/reference/docker.md). A managed sandbox has it there; docker_recipe::guest brings it into others.
  std::string guest = std::string(docker_guest_path);

  enum class runc_wrapper { automatic, always, never };
  /// Whether the guest takes the masked directories out of a nested config.json. automatic: where it must be, since runc >=
  /// 1.3.6 masks with tmpfs options that runsc before 20260714.0 refuses. never: runc is called as it is, without the guest.
  runc_wrapper wrap_runc = runc_wrapper::automatic;

  std::string dockerd = "dockerd";        ///< a name looked up on PATH inside, or an absolute path
  std::vector<std::string> dockerd_args;  ///< put last, so that they win where dockerd lets the last one win
  std::vector<std::string> env;           ///< "K=V" for dockerd (proxies, DOCKER_RAMDISK …)
};

/// How to start dockerd with ONE command inside the sandbox.
struct docker_plan {
  command start;                           ///< `berth-init start-docker …`: prepares, prints markers, becomes dockerd
  std::vector<std::string> dockerd_argv;   ///< what that ends in, for display (`--mtu` may be added inside)
  std::vector<std::string> warnings;       ///< sentences for people
  std::vector<std::string> gaps;           ///< those of them that say what does not work with this pair
  bool needs_packet_socket_write = false;  ///< runsc must have been started with the packet-write flag
  /// runsc must be started with `--in-sandbox-cgroup=v2`, so that the start can mount the cgroups as one hierarchy of v1, the
  /// only one in which gVisor holds containers to `--pids-limit`.
  bool joins_cgroups = false;
  bool wraps_runc = false;  ///< the masked directories are taken out
};

/// Whether a sandbox with Docker that this runsc restores goes on to work. In one that releases before 20260905.0 restored, a packet
/// that a container sends outside, or the first ICMP error, ends runsc (20260701.0: nil maps and limiters in its restored network
/// stack). Errors: unsupported.
BERTH_DECL result<void> check_docker_is_restored(const runsc_version& runsc);

/// Docker 28 sends ARP announcements from packet sockets and takes a failure to do so for a hard error. An unknown version
/// gets nothing: what a sandbox may do must not grow by what its image leaves out.
BERTH_DECL bool docker_needs_packet_socket_write(const docker_versions& versions) noexcept;

/// Plans. Pure. Errors: invalid (a socket or data root that is not an absolute path, an address that is not IPv4, NUL
/// in a string), unsupported (a pair that cannot run nested containers, with the reason).
BERTH_DECL result<docker_plan> plan_docker(const docker_plan_options& options);

/// The variable by which a run's nonce reaches the guest's start of dockerd, which takes it out of dockerd's environment.
inline constexpr std::string_view start_nonce_variable = "BERTH_START_NONCE";

/// A line that the start printed on stdout before it became dockerd: `berth:NONCE:word text`.
struct start_marker {
  enum class kind {
    none,     ///< not a marker
    missing,  ///< no dockerd; the start exits with 127
    running,  ///< another dockerd runs already; text: its pid; the start exits with 125
    failed,   ///< a step failed; text: which and why; the start exits with 126
    warning,  ///< a step failed that dockerd can start without; text: which and why
    stale,    ///< a stale pid file was removed; text: its path
    pid,      ///< the next thing is dockerd itself; text: its pid
    network,  ///< forwarding and SNAT are in place (or were not wanted)
  };
  kind what = kind::none;
  std::string_view text;
};
/// Only a line that bears `nonce`, the run's own, is one: dockerd, which writes to the same stream, does not know it.
BERTH_DECL start_marker parse_start_marker(std::string_view line, std::string_view nonce) noexcept;

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/plan.ipp>
#endif
