// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/diagnose.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace berth {
namespace {

std::string first_id(std::string_view text, diagnosis_context context = {}) {
  const auto found = diagnose_docker(text, context);
  return found.empty() ? std::string() : std::string(found.front().what.id);
}

// The texts as dockerd, docker, runc, iptables and runsc print them.
TEST(DiagnoseDocker, KnowsTheSymptoms) {
  const std::pair<const char*, const char*> rows[] = {
      {"failed to start daemon: Devices cgroup isn't mounted", "BERTH-CGROUP-DEVICES"},
      {"runc create failed: no cgroup mount found in mountinfo: unknown", "BERTH-CGROUP-DEVICES"},
      {"unknown flag: --no-such-flag", "BERTH-DOCKERD-ARGUMENT"},
      {"OCI runtime exec failed: exec failed: error executing setns process: exit status 1: unknown", "BERTH-SETNS"},
      {"unable to join session keyring: unable to create session key: disk quota exceeded: unknown.", "BERTH-KEYRING"},
      {"OCI runtime create failed: container_linux.go:380: unable to apply caps: operation not permitted: unknown.",
       "BERTH-CAPABILITY"},
      {"docker: Error response from daemon: invalid CapAdd: capability not supported by your kernel or not available in the "
       "current environment: \"CAP_SYS_MODULE\".",
       "BERTH-CAP-ADD"},
      {"error setting rlimit type 8: operation not permitted: unknown", "BERTH-RLIMIT"},
      {"Error response from daemon: chmod /tmp/f: via /proc/self/fd/11: no such file or directory", "BERTH-CP-CHMOD"},
      {"invalid mount config: path / is mounted on / but it is not a shared or slave mount", "BERTH-PROPAGATION"},
      {"write sysctl key net.core.somaxconn: open /proc/sys/net/core/somaxconn: no such file or directory: unknown",
       "BERTH-SYSCTL"},
      {"runc create failed: error during container init: open /proc/sys/kernel/shm_rmid_forced: operation not permitted: unknown",
       "BERTH-SYSCTL"},
      {"cannot start a container: open exec fifo: open /proc/12/fd/5: interrupted system call", "BERTH-RUNC-EINTR"},
      {"invalid argument \"x\" for \"--mtu\" flag: strconv.ParseInt", "BERTH-DOCKERD-ARGUMENT"},
      {"failed to start daemon: Error initializing network controller: error obtaining controller instance: failed to "
       "create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: iptables v1.8.9 (nf_tables): Could not fetch "
       "rule set generation id: Failed to initialize nft: Protocol not supported",
       "BERTH-NFT"},
      {"iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
       "BERTH-NET-RAW"},
      {"docker: Error response from daemon: failed to create task for container: OCI runtime create failed: runc create "
       "failed: can't mask dir \"/sys/firmware\": mount src=tmpfs, dst=/sys/firmware, flags=MS_RDONLY, "
       "data=nr_blocks=1,nr_inodes=1: invalid argument: unknown",
       "BERTH-RUNC-MASK"},
      {"runc create failed: unsafe procfs detected: incorrect procfs root inode number 2", "BERTH-UNSAFE-PROCFS"},
      {"failed to mount /tmp/containerd-mount1: mount source: \"overlay\", target: \"/tmp/containerd-mount1\", fstype: "
       "overlay, flags: 0, data: \"workdir=/x,upperdir=/y,lowerdir=/z\", err: invalid argument",
       "BERTH-OVERLAY-ON-OVERLAY"},
      {"mount source: \"overlay\", data: \"workdir=/x/work,upperdir=/x/fs,lowerdir=59/fs:58/fs:57/fs\", err: invalid argument",
       "BERTH-OVERLAY-RELATIVE"},
      {"docker: Error response from daemon: error creating overlay mount to /var/lib/docker/overlay2/5e2e-init/merged: mountfrom "
       "re-exec error: exit status 1: output: invalid argument.",
       "BERTH-OVERLAY-RELATIVE"},
      {"docker: Error response from daemon: error creating overlay mount to /var/lib/docker/overlay2/5e2e-init/merged: invalid "
       "argument",
       "BERTH-OVERLAY-RELATIVE"},
      {"Error response from daemon: Cannot read IPv6 setup for bridge br-44f4: open "
       "/proc/sys/net/ipv6/conf/br-44f4/disable_ipv6: no such file or directory",
       "BERTH-IPV6-NETWORK"},
      {"level=info msg=\"Docker daemon\" commit=5d6db84 graphdriver(s)=vfs version=20.10.24+dfsg1", "BERTH-VFS"},
      {"failed to register layer: operation not permitted", "BERTH-LAYER-GOFER"},
      {"failed to register layer: openat dev/ptmx: operation not permitted", "BERTH-LAYER-DEVICE"},
      {"mkdir: can't create directory '/sys/fs/cgroup/init': Read-only file system", "BERTH-CGROUP-READONLY"},
      {"unable to remove container's cgroup: Failed to remove paths: map[…]", "BERTH-CGROUP-REMOVE"},
      {"reading from parent failed: fetch packet length from socket: interrupted system call", "BERTH-RUNC-EINTR"},
      {"cannot toggle freezer: cgroups not configured for container", "BERTH-FREEZER"},
      {"Your kernel does not support cgroup namespaces", "BERTH-CGROUPNS"},
      {"network bridge not found", "BERTH-NO-BRIDGE"},
      {"unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character 'x'",
       "BERTH-DAEMON-JSON"},
      {"failed to start daemon: pid file found, ensure docker is not running or delete /var/run/docker.pid",
       "BERTH-RUNNING"},
      {"dial unix /var/run/docker.sock: connect: no such file or directory", "BERTH-CLIENT-NO-SOCKET"},
      {"prepareSaveDead: only regular deleted dentries can be saved, got S_IFDIR", "BERTH-CHECKPOINT-DIR"},
      {"configuring cgroup: write /sys/fs/cgroup/cgroup.subtree_control: device or resource busy",
       "BERTH-HOST-CGROUP-BUSY"},
      {"cannot read client sync file: waiting for sandbox to start: EOF", "BERTH-RUNSC-GENERIC"},
      {"TUNSETIFF: Invalid argument", "BERTH-TUN"},
      {"the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how",
       "BERTH-BUILDX"},
      {"ERROR: BuildKit is enabled but the buildx component is missing or broken.", "BERTH-BUILDX"},
      {"The Compose file './docker-compose.yml' is invalid because:\n'name' does not match any of the regexes: '^x-'",
       "BERTH-COMPOSE-1"},
  };
  for (const auto& [text, id] : rows) EXPECT_EQ(first_id(text), id) << text;
}

TEST(DiagnoseDocker, AnArgumentThatTheClientRefusesIsNotTheDaemons) {
  EXPECT_EQ(first_id("unknown flag: --nope\nSee 'dockerd --help'."), "BERTH-DOCKERD-ARGUMENT");
  EXPECT_EQ(first_id("unknown flag: --nope\nSee 'docker run --help'."), "");
  EXPECT_EQ(first_id("unknown flag: --nope\n\nUsage:  docker run [OPTIONS] IMAGE\n\nRun 'docker run --help' for more"),
            "");
}

TEST(DiagnoseDocker, OrdinaryOutputHasNoDiagnosis) {
  EXPECT_EQ(first_id(""), "");
  EXPECT_EQ(first_id("time=\"2026-11-24T06:10:46Z\" level=info msg=\"Starting up\"\n"
                     "level=warning msg=\"Your kernel does not support swap memory limit\"\n"
                     "level=warning msg=\"Unable to find blkio cgroup in mounts\"\n"
                     "level=info msg=\"Docker daemon\" graphdriver(s)=overlay2 version=20.10.24\n"
                     "level=info msg=\"API listen on /var/run/docker.sock\"\n"),
            "");
}

TEST(DiagnoseDocker, TheMostTellingComesFirstAndEachOnce) {
  const auto found = diagnose_docker(
      "docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
      "failed to start daemon: Devices cgroup isn't mounted\n"
      "failed to start daemon: Devices cgroup isn't mounted\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].what.id, "BERTH-CGROUP-DEVICES");
  EXPECT_EQ(found[1].what.id, "BERTH-CLIENT-NO-SOCKET");
}

TEST(DiagnoseDocker, TheEvidenceIsShortAndCannotDriveATerminal) {
  const auto found = diagnose_docker("\x1b[2JDevices cgroup isn't mounted\x07" + std::string(1000, 'x'));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_LE(found[0].evidence.size(), 400u);
  for (unsigned char c : found[0].evidence) EXPECT_GE(c, ' ');
}

TEST(DiagnoseDocker, ASymptomThatARunscMendedIsNotBlamedOnIt) {
  diagnosis_context context;
  context.runsc_release = 20250101;
  EXPECT_EQ(first_id("unable to remove container's cgroup: Failed to remove paths", context), "BERTH-CGROUP-REMOVE");
  context.runsc_release = 20260701;
  EXPECT_EQ(first_id("unable to remove container's cgroup: Failed to remove paths", context), "");
}

TEST(KnownDockerFailures, IdsAreUniqueAndRowsComplete) {
  std::set<std::string_view> ids;
  for (const known_failure& row : known_docker_failures()) {
    EXPECT_TRUE(row.id.starts_with("BERTH-")) << row.id;
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_FALSE(row.cause.empty()) << row.id;
    EXPECT_FALSE(row.remedy.empty()) << row.id;
    EXPECT_FALSE(row.reference.empty()) << row.id;
    EXPECT_EQ(find_docker_failure(row.id).remedy, row.remedy);
  }
  EXPECT_TRUE(find_docker_failure("BERTH-NONE").id.empty());
}

TEST(KnownDockerFailures, EachIsInTheReference) {
  std::ostringstream text;
  text << std::ifstream(BERTH_TEST_DATA "/../docs/reference/docker.md").rdbuf();
  for (const known_failure& row : known_docker_failures()) {
    std::string remedy(row.remedy);
    for (std::size_t at = 0; (at = remedy.find('|', at)) != std::string::npos; at += 2) remedy.insert(at, "\\");
    const std::string cells = "| " + std::string(row.id) + " | " + std::string(row.cause) + " | " + remedy + " |";
    EXPECT_NE(text.str().find(cells), std::string::npos) << cells;
  }
}

}  // namespace
}  // namespace berth
