// SPDX-License-Identifier: Apache-2.0
// What the nested runtime holds containers to their memory limits with, but for the killing itself.
#include "guest/memory_limit.hpp"

#include "guest/memory_cgroup.hpp"
#include "guest/oom_event.hpp"

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

TEST(MemoryCgroup, IsWhereRuncsStateHasIt) {
  EXPECT_EQ(find_memory_cgroup(R"({"id":"a","cgroup_paths":{"cpu":"/c","memory":"/sys/fs/cgroup/memory/docker/a"}})"),
            "/sys/fs/cgroup/memory/docker/a");
  EXPECT_EQ(find_memory_cgroup(R"({"cgroup_paths":{"":"/sys/fs/cgroup/docker/a"}})"), "");
  EXPECT_EQ(find_memory_cgroup(""), "");
  EXPECT_EQ(find_memory_cgroup("{\"cgroup_paths\""), "");
}

TEST(MemoryCgroup, ReadsItsFiles) {
  const std::string directory = ::testing::TempDir() + "/cgroup-" + std::to_string(::getpid());
  std::filesystem::create_directories(directory + "/below");
  const auto write = [&](const std::string& name, const std::string& text) { std::ofstream(directory + name) << text; };
  EXPECT_FALSE(memory_cgroup(directory).usage());
  EXPECT_FALSE(memory_cgroup(directory).exists());
  write("/memory.usage_in_bytes", "4096\n");
  write("/memory.limit_in_bytes", "9223372036854775807\n");
  const memory_cgroup cgroup(directory);
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
  EXPECT_TRUE(cgroup.exists());
  std::filesystem::remove_all(directory);
  EXPECT_GT(resident_bytes(::getpid()), 4096u);
  EXPECT_EQ(resident_bytes(0x7ffffff0), 0u);
}

TEST(MemoryLimit, LooksMoreOftenNearTheLimitAndSeldomWhereALookIsDear) {
  EXPECT_EQ(pause_before_next_look(10, 100, 50), 100);
  EXPECT_EQ(pause_before_next_look(51, 100, 50), 20);
  EXPECT_EQ(pause_before_next_look(99, 100, 10'000), 200);
  EXPECT_EQ(pause_before_next_look(99, 100, 10'000'000), 1000);
}

}  // namespace
}  // namespace berth::guest
