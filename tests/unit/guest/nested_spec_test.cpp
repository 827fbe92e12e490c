// SPDX-License-Identifier: Apache-2.0
// The nested runtime's edit of a config.json, by what a test says that the sandbox can give.
#include "guest/runtime/nested_spec.hpp"

#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace berth::guest {
namespace {

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
constexpr unsigned chown = 0, net_raw = 13, sys_admin = 21, sys_resource = 24;

struct NestedSpec : ::testing::Test {
  sandbox_powers powers() {
    sandbox_powers out;
    out.capabilities = capabilities;
    out.unmask_directories = unmask;
    out.limits_processes = limits_processes;
    out.is_directory = [](const std::string& path) { return path != "/proc/kcore" && path != "/proc/keys"; };
    out.hard_limit = [](std::string_view type) { return type == "RLIMIT_MEMLOCK" ? std::uint64_t{65536} : UINT64_MAX; };
    out.parameter = [this](std::string_view name) -> std::optional<kernel_parameter> {
      const auto at = parameters.find(name);
      return at == parameters.end() ? std::nullopt : std::optional(at->second);
    };
    return out;
  }
  /// What becomes of a spec, or the error's text; `notes` gets what was told.
  std::string edited(const std::string& json) {
    auto spec = spec_builder::parse(json);
    if (!spec) return "cannot be read: " + spec.error().to_string();
    auto done = edit_nested_spec(*spec, powers());
    if (!done) return done.error().to_string();
    notes = *done;
    return spec->to_json();
  }
  std::uint64_t capabilities = bit(chown) | bit(net_raw) | bit(sys_admin);
  bool unmask = false, limits_processes = true;
  std::map<std::string, kernel_parameter, std::less<>> parameters;
  edit_notes notes;
};

TEST_F(NestedSpec, WhatTheSandboxCanGiveStaysByteForByte) {
  const std::string json =
      R"({"ociVersion":"1.0.2","vendor":{"x":1.50},"process":{"args":["a"],"capabilities":{"bounding":["CAP_NET_RAW","CAP_CHOWN"]},)"
      R"("rlimits":[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":1024}]},)"
      R"("linux":{"maskedPaths":["/proc/acpi","/proc/kcore"],"sysctl":{"net.ipv4.ip_forward":"1"}}})";
  parameters["net.ipv4.ip_forward"] = {"0\n", true};
  EXPECT_EQ(edited(json), json);
  EXPECT_TRUE(notes.empty());
}

TEST_F(NestedSpec, WhatGVisorDoesNotScheduleByIsTold) {
  const std::string json =
      R"({"ociVersion":"1","linux":{"resources":{"cpu":{"shares":512,"quota":50000,"period":100000,"cpus":"0"}}}})";
  EXPECT_EQ(edited(json), json);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_NE(notes[0].find("--cpus"), std::string::npos);
  EXPECT_NE(notes[1].find("--cpuset-cpus"), std::string::npos);
  edited(
      R"({"ociVersion":"1","linux":{"resources":{"cpu":{"shares":512,"quota":-1,"cpus":""},"memory":{"limit":33554432}}}})");
  EXPECT_TRUE(notes.empty());
}

TEST_F(NestedSpec, ALimitOfProcessesThatDoesNotHoldIsTold) {
  const std::string json = R"({"ociVersion":"1","linux":{"resources":{"pids":{"limit":20}}}})";
  EXPECT_EQ(edited(json), json);
  EXPECT_TRUE(notes.empty());
  limits_processes = false;
  EXPECT_EQ(edited(json), json);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("--pids-limit"), std::string::npos);
  for (const char* none : {"-1", "0", "null"}) {
    edited(R"({"ociVersion":"1","linux":{"resources":{"pids":{"limit":)" + std::string(none) + "}}}}");
    EXPECT_TRUE(notes.empty()) << none;
  }
}

TEST(Cgroups, EachForkIsAskedForInOneHierarchyOnly) {
  const std::string title = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n";
  EXPECT_TRUE(asks_for_each_fork(title + "cpu\t1\t4\t1\nmemory\t1\t4\t1\npids\t1\t4\t1\n"));
  EXPECT_TRUE(asks_for_each_fork(title)) << "version 2";
  EXPECT_FALSE(asks_for_each_fork(title + "cpu\t1\t4\t1\nmemory\t2\t4\t1\npids\t3\t4\t1\n"));
  EXPECT_FALSE(asks_for_each_fork(title + "cpu\t1\t4\t1\npids\t1\t4\t1\njob\t11\t1\t1\n"))
      << "a hierarchy beside it is asked in its place";
}

TEST_F(NestedSpec, CapabilitiesThatTheSandboxLacksGoFromEverySet) {
  EXPECT_EQ(
      edited(R"({"ociVersion":"1","process":{"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_TIME"],)"
             R"("effective":["CAP_SYS_TIME","CAP_NET_RAW"],"inheritable":["CAP_SYS_TIME"],"permitted":["CAP_BPF"],)"
             R"("ambient":["CAP_SYS_TIME"]}}})"),
      R"({"ociVersion":"1","process":{"capabilities":{"bounding":["CAP_CHOWN"],"effective":["CAP_NET_RAW"],)"
      R"("inheritable":[],"permitted":[],"ambient":[]}}})");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("CAP_SYS_TIME"), std::string::npos) << notes[0];
}

TEST_F(NestedSpec, WhoAsksForAllThatLinuxHasIsNotToldOfEach) {
  auto spec = spec_builder::parse(R"({"ociVersion":"1"})");
  ASSERT_TRUE(spec);
  const std::string_view all[] = {"CHOWN",
                                  "DAC_OVERRIDE",
                                  "DAC_READ_SEARCH",
                                  "FOWNER",
                                  "FSETID",
                                  "KILL",
                                  "SETGID",
                                  "SETUID",
                                  "SETPCAP",
                                  "LINUX_IMMUTABLE",
                                  "NET_BIND_SERVICE",
                                  "NET_BROADCAST",
                                  "NET_ADMIN",
                                  "NET_RAW",
                                  "IPC_LOCK",
                                  "IPC_OWNER",
                                  "SYS_MODULE",
                                  "SYS_RAWIO",
                                  "SYS_CHROOT",
                                  "SYS_PTRACE",
                                  "SYS_PACCT",
                                  "SYS_ADMIN",
                                  "SYS_BOOT",
                                  "SYS_NICE",
                                  "SYS_RESOURCE",
                                  "SYS_TIME",
                                  "SYS_TTY_CONFIG",
                                  "MKNOD",
                                  "LEASE",
                                  "AUDIT_WRITE",
                                  "AUDIT_CONTROL",
                                  "SETFCAP",
                                  "MAC_OVERRIDE",
                                  "MAC_ADMIN",
                                  "SYSLOG",
                                  "WAKE_ALARM",
                                  "BLOCK_SUSPEND"};
  ASSERT_TRUE(spec_capabilities(*spec).add(all));
  const auto done = edit_nested_spec(*spec, powers());
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->empty()) << done->front();
  EXPECT_EQ(spec_capabilities(*spec).get(capability_sets::bounding),
            (std::vector<std::string>{"CAP_CHOWN", "CAP_NET_RAW", "CAP_SYS_ADMIN"}));
}

TEST_F(NestedSpec, ALimitAboveTheSandboxsOwnIsLoweredUnlessItMayBeRaised) {
  const std::string json =
      R"({"ociVersion":"1","process":{"rlimits":[{"type":"RLIMIT_MEMLOCK","hard":18446744073709551615,"soft":18446744073709551615}]}})";
  EXPECT_EQ(edited(json),
            R"({"ociVersion":"1","process":{"rlimits":[{"type":"RLIMIT_MEMLOCK","hard":65536,"soft":65536}]}})");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("RLIMIT_MEMLOCK is 65536 in place of unlimited"), std::string::npos) << notes[0];
  capabilities |= bit(sys_resource);
  EXPECT_EQ(edited(json), json);
  EXPECT_TRUE(notes.empty());
}

TEST_F(NestedSpec, ALimitThatGVisorDoesNotHaveGoesWhateverTheSandboxMay) {
  capabilities |= bit(sys_resource);
  EXPECT_EQ(edited(R"({"ociVersion":"1","process":{"rlimits":[{"type":"RLIMIT_RTPRIO","hard":9,"soft":9},)"
                   R"({"type":"RLIMIT_CORE","hard":0,"soft":0}]}})"),
            R"({"ociVersion":"1","process":{"rlimits":[{"type":"RLIMIT_CORE","hard":0,"soft":0}]}})");
  EXPECT_EQ(notes.size(), 1u);
}

TEST_F(NestedSpec, ParametersThatAreSoOrOnlyTuneGo) {
  parameters["kernel.sem"] = {"250\t32000\t32\t128\n", false};
  EXPECT_EQ(
      edited(
          R"({"ociVersion":"1","linux":{"sysctl":{"kernel.sem":"250 32000 32 128","net.ipv6.conf.all.disable_ipv6":"0"}}})"),
      R"({"ociVersion":"1","linux":{"sysctl":{}}})");
  EXPECT_TRUE(notes.empty()) << notes[0];
  EXPECT_EQ(
      edited(R"({"ociVersion":"1","linux":{"sysctl":{"net.core.somaxconn":"9","net.ipv6.conf.all.disable_ipv6":"1",)"
             R"("kernel.sem":"1 2 3 4"}}})"),
      R"({"ociVersion":"1","linux":{"sysctl":{}}})");
  EXPECT_EQ(notes.size(), 3u);
}

TEST_F(NestedSpec, AParameterThatWouldChangeWhatTheContainerDoesIsRefusedInWords) {
  const std::string missing = edited(R"({"ociVersion":"1","linux":{"sysctl":{"net.ipv4.conf.all.rp_filter":"1"}}})");
  EXPECT_NE(missing.find("gVisor has no kernel parameter net.ipv4.conf.all.rp_filter"), std::string::npos) << missing;
  parameters["net.ipv4.ip_nonlocal_bind"] = {"0\n", false};
  const std::string fixed = edited(R"({"ociVersion":"1","linux":{"sysctl":{"net.ipv4.ip_nonlocal_bind":"1"}}})");
  EXPECT_NE(fixed.find("does not let net.ipv4.ip_nonlocal_bind be set: it is 0"), std::string::npos) << fixed;
}

TEST_F(NestedSpec, MaskedDirectoriesGoOnlyWhereRuncCannotCoverThem) {
  unmask = true;
  EXPECT_EQ(
      edited(R"({"ociVersion":"1","linux":{"maskedPaths":["/proc/acpi","/proc/kcore","/sys/firmware","/home/secret"],)"
             R"("readonlyPaths":["/proc/acpi"]}})"),
      R"({"ociVersion":"1","linux":{"maskedPaths":["/proc/kcore","/home/secret"],"readonlyPaths":["/proc/acpi"]}})");
  EXPECT_TRUE(notes.empty());
}

TEST_F(NestedSpec, TheProcessOfExecIsEditedByTheSameRules) {
  const auto done = edit_nested_process(
      R"({"args":["sh"],"x":1.0,"capabilities":{"bounding":["CAP_SYS_TIME","CAP_CHOWN"]},"rlimits":[{"type":"RLIMIT_NICE","hard":1,"soft":1}]})",
      powers());
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->json, R"({"args":["sh"],"x":1.0,"capabilities":{"bounding":["CAP_CHOWN"]},"rlimits":[]})");
  EXPECT_EQ(done->notes.size(), 2u);
  EXPECT_FALSE(edit_nested_process("{", powers()));
}

}  // namespace
}  // namespace berth::guest
