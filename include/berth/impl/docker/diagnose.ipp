// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/docker/diagnose.hpp>

#include <array>
#include <cstddef>

namespace berth {
namespace detail {

/// A row with what it is recognised by. A pattern matches a line that holds its parts, which `*` separates, in order.
struct failure_row {
  known_failure what;
  std::array<std::string_view, 3> patterns;
  std::uint32_t mended_in = 0;  ///< the runsc release from which on the symptom means something else, or 0
  bool of_daemon = false;       ///< in a client's words it means something else
};

/// The most telling first: a row above explains those below that its evidence causes.
inline constexpr failure_row docker_failure_rows[] = {
    {{"BERTH-CGROUP-DEVICES",
      "there is no cgroup file system with the devices controller, without which no container runs",
      "take the cgroup mode `sandbox`, the default, with runsc 20231218.0 or newer; with `none` and "
      "`host-bind` Docker does not work. In a spec of your own: {\"type\":\"cgroup\",\"source\":\"cgroup\","
      "\"destination\":\"/sys/fs/cgroup\",\"options\":[\"rw\"]}",
      "docker/cli#3613", true},
     {"Devices cgroup isn't mounted", "no cgroup mount found in mountinfo",
      "no cgroup file system with the devices controller"}},
    {{"BERTH-NFT", "dockerd manages iptables through the nft variant, and gVisor's nftables are off",
      "start dockerd with --iptables=false --ip6tables=false, and use iptables-legacy for rules of your own",
      "google/gvisor#9917", true},
     {"Failed to initialize nft*Protocol not supported", "Failed to initialize nft"}},
    {{"BERTH-NET-RAW", "iptables needs a raw socket, and the sandbox was started without --net-raw or CAP_NET_RAW",
      "start runsc with --net-raw, also for runsc exec, and give CAP_NET_RAW and CAP_NET_ADMIN to the process",
      "google/gvisor#9917", true},
     {"can't initialize iptables table*Table does not exist", "can't initialize ip6tables table*Table does not exist",
      "can't initialize iptables table*Permission denied"}},
    {{"BERTH-MASQUERADE", "iptables' MASQUERADE target is not available in gVisor",
      "use SNAT with --to-source, one rule for tcp and one for udp (berth does)", "google/gvisor#11327"},
     {"MASQUERADE*Invalid argument", "MASQUERADE*No such file", "MASQUERADE*No chain/target/match by that name"}},
    {{"BERTH-DAEMON-JSON", "dockerd cannot use its configuration file",
      "mend or remove /etc/docker/daemon.json in the root file system; an option may stand there or in the arguments, "
      "not in both",
      "docs.docker.com/reference/cli/dockerd", true},
     {"unable to configure the Docker daemon with file"}},
    {{"BERTH-DOCKERD-ARGUMENT", "this dockerd does not know one of its arguments, or not its value",
      "take it out of the further arguments for dockerd, or take a Docker that has it: docker version tells",
      "docs.docker.com/reference/cli/dockerd", true},
     {"unknown flag: --", "invalid argument*for \"--", "unknown shorthand flag"},
     0,
     true},
    {{"BERTH-RUNC-MASK", "runc 1.3.6 and newer mask directories with tmpfs options that this runsc does not know",
      "use runsc 20260714.0 or newer, or let berth wrap runc (docker_plan_options::wrap_runc), or run the container with "
      "--security-opt systempaths=unconfined",
      "google/gvisor#13670"},
     {"can't mask dir*nr_blocks", "can't mask dir*invalid argument"}},
    {{"BERTH-UNSAFE-PROCFS", "this runc checks /proc in a way that this runsc does not pass",
      "use runsc 20250304.0 or newer, or an older Docker (its runc before 1.2.8 or 1.3.3); nothing inside can mend it",
      "google/gvisor#11313"},
     {"unsafe procfs detected"}},
    {{"BERTH-SETNS", "this runsc cannot enter a pid namespace, so docker exec and health checks fail",
      "use runsc 20250707.0 or newer", "google/gvisor"},
     {"error executing setns process"},
     20250707},
    {{"BERTH-KEYRING",
      "the sandbox's keys are used up: gVisor has 200 for a user, and runc makes a keyring for each container",
      "let the nested runtime stand before runc (wrap_runc), or raise the limit inside: echo 100000 > "
      "/proc/sys/kernel/keys/maxkeys",
      "docs/reference/docker.md"},
     {"unable to create session key*quota exceeded", "unable to join session keyring*quota exceeded"}},
    {{"BERTH-CAPABILITY", "the container asks for a capability that the sandbox does not have",
      "leave --privileged or that --cap-add out, or add the capability to the sandbox's spec",
      "docs/reference/spec.md"},
     {"unable to apply caps", "unable to apply bounding set"}},
    // dockerd's own check, which came between 20.10 and 26.1: the container never gets as far as the nested runtime.
    {{"BERTH-CAP-ADD", "dockerd refuses a --cap-add of what the sandbox itself does not have",
      "leave that --cap-add (cap_add in a compose file) out; --privileged gives a container all that the sandbox has",
      "docs/reference/docker.md"},
     {"invalid CapAdd: capability not supported by your kernel"}},
    {{"BERTH-RLIMIT", "raising a limit above the sandbox's needs CAP_SYS_RESOURCE, which this sandbox does not have",
      "leave the ulimit out, or add CAP_SYS_RESOURCE to the sandbox's spec", "docs/reference/spec.md"},
     {"error setting rlimit*operation not permitted"}},
    {{"BERTH-IPV6-NETWORK", "gVisor has no /proc/sys/net/ipv6, through which dockerd sets a network's IPv6 up",
      "make the network without --ipv6 (enable_ipv6 in a compose file); loopback's ::1 is there in every container",
      "docs/reference/docker.md"},
     {"Cannot read IPv6 setup for bridge", "IPv6*open /proc/sys/net/ipv6/*no such file or directory"}},
    {{"BERTH-CP-CHMOD", "docker cp sets permissions through a /proc that it does not have there in gVisor",
      "tar -c FILE | docker exec -i CONTAINER tar -x -C DIRECTORY", "docs/reference/docker.md"},
     {"chmod*via /proc/self/fd/*no such file or directory"}},
    {{"BERTH-PROPAGATION",
      "the bind asks for mount propagation (rshared, rslave), and the sandbox's root is not a shared mount",
      "leave the propagation out of the bind, or run mount --make-rshared / inside first", "docs/reference/docker.md"},
     {"is mounted on*but it is not a shared"}},
    {{"BERTH-SYSCTL", "gVisor does not have this sysctl, or a container cannot set it there",
      "leave it out: docker run --sysctl, sysctls: in a compose file", "docs/reference/docker.md"},
     {"write sysctl key", "create failed*open /proc/sys/"}},
    {{"BERTH-OVERLAY-RELATIVE",
      "the image has so many layers that Docker mounts them by relative paths, which gVisor's overlay "
      "refuses: more than 70 with overlay2, more than 37 with the image store of containerd, where berth's guest does not "
      "shorten them",
      "let the guest do it, which carries Docker's 125: it does in a managed sandbox whose dockerd it started, with the data "
      "root at /var/lib/docker; else put fewer layers in the image, or start dockerd with --storage-driver=vfs, which copies "
      "every layer",
      "google/gvisor#14699"},
     {"lowerdir=*/fs:*invalid argument*", "data=lowerdir=*fs:*workdir=*invalid argument",
      "error creating overlay mount to*/merged*invalid argument"}},
    {{"BERTH-OVERLAY-ON-OVERLAY", "overlay cannot be mounted on the sandbox's own root overlay",
      "mount a tmpfs on /var/lib/docker, or a host directory (which needs runsc 20260520.0), or start dockerd with "
      "--feature containerd-snapshotter=false",
      "google/gvisor#12475"},
     {"failed to mount*overlay*invalid argument", "overlayfs*not supported over overlayfs",
      "error creating overlay mount to*invalid argument"}},
    {{"BERTH-VFS", "dockerd uses the vfs storage driver, which copies every layer and takes much memory",
      "unless you asked for it: mount a tmpfs on /var/lib/docker, or a host directory (which needs runsc 20260520.0), so that "
      "overlay2 works",
      "google/gvisor#12941"},
     {"graphdriver(s)=vfs", "Storage Driver: vfs", "storage-driver=vfs"}},
    {{"BERTH-LAYER-DEVICE", "Docker 29.7's unpacking refuses device nodes",
      "use Docker 29.6.2, and mount the data root without nodev", "moby/moby#53298"},
     {"failed to register layer*ptmx*operation not permitted",
      "failed to register layer*openat*operation not permitted"}},
    {{"BERTH-LAYER-GOFER",
      "the data root lies on the raw root file system, which keeps no foreign owners and attributes",
      "keep runsc's default root overlay, or mount a tmpfs or a host directory on /var/lib/docker",
      "google/gvisor#11894"},
     {"failed to register layer*operation not permitted", "failed to register layer*lchown"}},
    {{"BERTH-CGROUP-READONLY", "something writes to a cgroup mount that is read-only, as Docker's dind entrypoint does",
      "mount /sys/fs/cgroup with \"rw\", or start dockerd itself instead of the entrypoint", "daytonaio/daytona#5146"},
     {"/sys/fs/cgroup/*Read-only file system", "/sys/fs/cgroup*read-only file system"}},
    {{"BERTH-CGROUP-REMOVE", "a process outlived its container, so that the cgroup could not be removed",
      "use runsc 20250811.0 or newer", "google/gvisor#11981"},
     {"unable to remove container's cgroup", "Failed to remove paths"},
     20250811},
    {{"BERTH-RUNC-EINTR", "runc's start was interrupted",
      "try once more; before runsc 20250804.0 it happens often, since then "
      "seldom",
      "google/gvisor#11955"},
     {"reading from parent failed*interrupted system call", "exec fifo*interrupted system call"}},
    {{"BERTH-FREEZER", "gVisor's cgroups have no freezer, so docker pause cannot work",
      "pause the whole sandbox instead", "google/gvisor#13722"},
     {"cannot toggle freezer", "freezer*cgroups not configured for container"}},
    {{"BERTH-CGROUPNS", "gVisor has no cgroup namespaces before 20260721.0",
      "use --cgroupns=host; kind and Kubernetes in Docker are not supported", "google/gvisor#11313"},
     {"does not support cgroup namespaces", "cgroup namespace*not supported"}},
    {{"BERTH-CGROUP-V2", "cgroup v2 inside needs parts that this runsc lacks",
      "leave --mount-cgroup-v2 out, or use runsc 20260810.0 or newer", "google/gvisor#11989"},
     {"bpf_prog_query", "BPF_PROG_QUERY"}},
    {{"BERTH-PACKET-WRITE", "Docker 28 and newer announce addresses by packet sockets, which runsc forbids by default",
      "start runsc with --allow-packet-socket-write (before 20251208.0: --TESTONLY-allow-packet-endpoint-write); it lets "
      "the sandbox send any packet, so keep the host's filters in front of it",
      "google/gvisor#12146"},
     {"unsolicited*operation not permitted", "send*ARP*not permitted", "failed to send*neighbor*not permitted"}},
    {{"BERTH-NO-BRIDGE", "BuildKit wants the default bridge, and dockerd was started with --bridge=none",
      "keep the bridge, or pass --network=host to docker build and docker run", "google/gvisor#11883"},
     {"network bridge not found"}},
    {{"BERTH-BUILDX",
      "the build needs BuildKit, and Docker takes its old builder: buildx is not installed, or it is Docker 20.10, which takes "
      "BuildKit where it is asked to",
      "set DOCKER_BUILDKIT=1 for the build with Docker 20.10; install buildx for newer ones (docker-buildx-plugin; Debian's "
      "docker-buildx) where the client is: on this host where its client is used, and "
      "else in the image (Python's with_docker() brings it)",
      "docs.docker.com/go/buildkit"},
     {"option requires BuildKit", "buildx component is missing or broken", "BuildKit is enabled but*buildx"}},
    {{"BERTH-COMPOSE-1", "the compose file is for Compose 2, and the sandbox has docker-compose 1",
      "install Compose 2 in the image (docker-compose-plugin; Debian's docker-compose 2; Python's with_docker() brings it)",
      "docs.docker.com/compose"},
     {"'name' does not match any of the regexes", "Unsupported config option for",
      "Additional properties are not allowed*was unexpected"}},
    {{"BERTH-RUNNING", "another dockerd runs in this sandbox, or left its pid file behind",
      "stop the other one; berth removes pid files only of processes that are gone", "docker-library/docker"},
     {"pid file found, ensure docker is not running", "process with PID*is still running"}},
    {{"BERTH-TIMEOUT-CONTAINERD", "dockerd waited for its containerd in vain: a leftover one may hold the data root",
      "see containerd's lines above; stop what is left of an earlier dockerd in the sandbox", "moby/moby#44082"},
     {"timeout waiting for containerd to start", "failed to dial*containerd.sock*context deadline exceeded"}},
    {{"BERTH-CLIENT-NO-SOCKET",
      "nothing listens on Docker's socket: dockerd is not installed, not started, or has ended",
      "look at the daemon's state and its log", "daytonaio/daytona#4461"},
     {"docker.sock: connect: no such file or directory", "Cannot connect to the Docker daemon"}},
    {{"BERTH-TUN", "gVisor cannot move tun devices between namespaces: rootless engines do not work",
      "use dockerd as root of the sandbox", "google/gvisor#11665"},
     {"TUNSETIFF*Invalid argument", "TUNSETIFF*invalid argument"}},
    {{"BERTH-CHECKPOINT-DIR", "a deleted directory on the raw root file system cannot be checkpointed",
      "keep runsc's default root overlay, and use runsc 20250331.0 or newer", "google/gvisor#11551"},
     {"only regular deleted dentries can be saved"}},
    {{"BERTH-HOST-CGROUP-BUSY", "runsc itself runs in a container whose cgroup has processes",
      "move those processes to a leaf cgroup, or start runsc with --ignore-cgroups", "google/gvisor#8111"},
     {"cgroup.subtree_control: device or resource busy"}},
    {{"BERTH-RUNSC-GENERIC", "the sandbox ended while it started, and this line hides why",
      "look for FATAL ERROR in the boot and gofer files of --debug-log", "google/gvisor#9996"},
     {"waiting for sandbox to start: EOF"}},
    {{"BERTH-NO-SPACE", "the file system of the data root is full",
      "give the data root a larger size, or use a host directory", "docs/reference/docker.md"},
     {"no space left on device"}},
};

inline bool line_matches(std::string_view line, std::string_view pattern) noexcept {
  if (pattern.empty()) return false;
  while (!pattern.empty()) {
    const std::size_t star = pattern.find('*');
    const std::string_view part = pattern.substr(0, star);
    const std::size_t at = line.find(part);
    if (at == std::string_view::npos) return false;
    line.remove_prefix(at + part.size());
    pattern.remove_prefix(star == std::string_view::npos ? pattern.size() : star + 1);
  }
  return true;
}

/// A line from the sandbox as it may be shown: cut, and without control characters.
inline std::string shown_line(std::string_view line) {
  constexpr std::size_t limit = 400;
  std::string out(line.substr(0, limit));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  return out;
}

}  // namespace detail

BERTH_DECL std::vector<diagnosis> diagnose_docker(std::string_view text, const diagnosis_context& context) {
  constexpr std::size_t rows = std::size(detail::docker_failure_rows);
  std::array<std::string_view, rows> evidence{};
  // What a docker client that takes no such argument goes on with.
  const bool of_client = text.find("See 'docker ") != text.npos || text.find("Run 'docker ") != text.npos;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    // One row a line: the first that matches is the most telling.
    for (std::size_t i = 0; i < rows; ++i) {
      const detail::failure_row& row = detail::docker_failure_rows[i];
      if (row.mended_in != 0 && context.runsc_release >= row.mended_in) continue;
      if (row.of_daemon && of_client) continue;
      bool hit = false;
      for (std::string_view pattern : row.patterns) hit = hit || detail::line_matches(line, pattern);
      if (!hit) continue;
      if (evidence[i].data() == nullptr) evidence[i] = line;
      break;
    }
  }
  std::vector<diagnosis> found;
  for (std::size_t i = 0; i < rows; ++i)
    if (evidence[i].data() != nullptr)
      found.push_back({detail::docker_failure_rows[i].what, detail::shown_line(evidence[i])});
  return found;
}

BERTH_DECL std::vector<known_failure> known_docker_failures() {
  std::vector<known_failure> all;
  for (const detail::failure_row& row : detail::docker_failure_rows) all.push_back(row.what);
  return all;
}

BERTH_DECL known_failure find_docker_failure(std::string_view id) {
  for (const detail::failure_row& row : detail::docker_failure_rows)
    if (row.what.id == id) return row.what;
  return {};
}

}  // namespace berth
