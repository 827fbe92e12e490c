// SPDX-License-Identifier: Apache-2.0
// What the nested runtime holds containers to their memory limits with, but for the killing itself.
#include "guest/runtime/memory_limit.hpp"

#include "guest/runtime/file_bytes.hpp"
#include "guest/runtime/memory_cgroup.hpp"
#include "guest/runtime/oom_event.hpp"
#include "guest/runtime/runc_state.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace berth::guest {
namespace {

using namespace std::string_literals;

TEST(OomEvent, AShimIsKnownByItsCommandLine) {
  const auto shim = read_shim_arguments(
      "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0abc\0-address\0/run/docker/containerd/containerd.sock\0"s);
  EXPECT_EQ(shim.name_space, "moby");
  EXPECT_EQ(shim.address, "/run/docker/containerd/containerd.sock");
  EXPECT_TRUE(read_shim_arguments("/usr/bin/dockerd\0-address\0/x\0"s).address.empty());
  EXPECT_TRUE(read_shim_arguments("").address.empty());
  EXPECT_TRUE(read_shim_arguments("containerd-shim-runc-v2\0-address"s).address.empty());
}

TEST(OomEvent, IsAnAnyWithTheContainersId) {
  EXPECT_EQ(encode_oom_event("abc"),
            "\x0a\x19"
            "containerd.events.TaskOOM"
            "\x12\x05\x0a\x03"
            "abc");
  // A length of more than one byte.
  const std::string id(200, 'x');
  EXPECT_EQ(encode_oom_event(id),
            "\x0a\x19"
            "containerd.events.TaskOOM"
            "\x12\xcb\x01\x0a\xc8\x01" +
                id);
}

TEST(RuncState, HasTheCgroupAndWhereItsFilesAre) {
  const runc_state state = read_runc_state(
      R"({"init_process_pid":142,"cgroup_paths":{"cpu":"/c","memory":"/sys/fs/cgroup/memory/docker/a"},"config":{)"
      R"("rootfs":"/var/lib/docker/overlay2/1/merged","mounts":[{"source":"proc","destination":"/proc","device":"proc"},)"
      R"({"source":"/v","destination":"/data","device":"bind"},{"source":"shm","destination":"/dev/shm","device":"tmpfs"}]}})");
  EXPECT_EQ(state.memory_cgroup, "/sys/fs/cgroup/memory/docker/a");
  EXPECT_EQ(state.init, 142);
  EXPECT_EQ(state.directories, (std::vector<std::string>{"/var/lib/docker/overlay2/1/diff", "/v"}));
  EXPECT_EQ(state.tmpfs, std::vector<std::string>{"/dev/shm"});
  EXPECT_EQ(read_runc_state(R"({"cgroup_paths":{"":"/sys/fs/cgroup/docker/a"}})").memory_cgroup, "");
  EXPECT_TRUE(read_runc_state(R"({"config":{"rootfs":"/other/layout"}})").directories.empty());
  EXPECT_EQ(read_runc_state("").memory_cgroup, "");
  EXPECT_EQ(read_runc_state("{\"cgroup_paths\"").memory_cgroup, "");
}

TEST(FileBytes, AreThoseOfATmpfsOnceEach) {
  const std::string directory = "/dev/shm/berth-files-" + std::to_string(::getpid());
  std::filesystem::create_directories(directory + "/below");
  std::ofstream(directory + "/below/a") << std::string(8192, 'x');
  std::filesystem::create_hard_link(directory + "/below/a", directory + "/b");
  std::filesystem::create_symlink("/etc/passwd", directory + "/link");
  EXPECT_EQ(bytes_on_tmpfs(directory, 1 << 20), 8192u);
  EXPECT_EQ(bytes_on_tmpfs(directory, 4096), 4096u) << "as much as was asked for, at least";
  EXPECT_EQ(bytes_on_tmpfs(directory + "/below/a", 1 << 20), 8192u);
  EXPECT_EQ(bytes_on_tmpfs("/proc", 1 << 20), 0u);
  EXPECT_EQ(bytes_on_tmpfs(directory + "/none", 1 << 20), 0u);
  std::filesystem::remove_all(directory);
}

TEST(MemoryCgroup, ReadsItsFiles) {
  const std::string directory = ::testing::TempDir() + "/cgroup-" + std::to_string(::getpid());
  std::filesystem::create_directories(directory + "/below");
  const auto write = [&](const std::string& name, const std::string& text) { std::ofstream(directory + name) << text; };
  EXPECT_FALSE(memory_cgroup(directory).usage());
  EXPECT_FALSE(memory_cgroup(directory).reopen());
  write("/memory.usage_in_bytes", "4096\n");
  write("/memory.limit_in_bytes", "9223372036854775807\n");
  memory_cgroup cgroup(directory);
  EXPECT_EQ(cgroup.usage(), 4096u);
  write("/memory.usage_in_bytes", "8192\n");
  EXPECT_EQ(cgroup.usage(), 8192u);
  EXPECT_FALSE(cgroup.limit());
  write("/memory.limit_in_bytes", "33554432\n");
  EXPECT_EQ(cgroup.limit(), 33554432u);
  // 1 is never a container's; what is no number is none.
  write("/cgroup.procs", "1\n17\nx\n");
  write("/below/cgroup.procs", "23\n");
  EXPECT_EQ(cgroup.processes(), (std::vector<pid_t>{17, 23}));
  // One that was removed and made again.
  std::filesystem::remove(directory + "/memory.usage_in_bytes");
  write("/memory.usage_in_bytes", "1\n");
  EXPECT_EQ(cgroup.usage(), 8192u);
  EXPECT_TRUE(cgroup.reopen());
  EXPECT_EQ(cgroup.usage(), 1u);
  std::filesystem::remove_all(directory);
  EXPECT_GT(resident_bytes(::getpid()), 4096u);
  EXPECT_EQ(resident_bytes(0x7ffffff0), 0u);
}

TEST(MemoryLimit, LooksMoreOftenNearTheLimitAndSeldomWhereALookIsDear) {
  EXPECT_EQ(pause_before_next_look(10, 100, 50), 100);
  EXPECT_EQ(pause_before_next_look(51, 100, 50), 20);
  EXPECT_EQ(pause_before_next_look(99, 100, 10'000), 200);
  EXPECT_EQ(pause_before_next_look(99, 100, 10'000'000), 2000);
}

}  // namespace
}  // namespace berth::guest
