// SPDX-License-Identifier: Apache-2.0
// The shell scripts, run by this host's sh against files of the test's own.
#include <berth/docker/plan.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace berth {
namespace {

std::string run(const std::string& line) {
  std::string text;
  FILE* pipe = ::popen(line.c_str(), "re");
  if (pipe == nullptr) return "popen failed";
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) text.append(buffer, n);
  const int status = ::pclose(pipe);
  if (status != 0) text += "[status " + std::to_string(WEXITSTATUS(status)) + "]";
  return text;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct RuncWrapper : ::testing::Test {
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "berth-scripts-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir = pattern;
    std::string text(runc_wrapper_script());
    const std::string real = "/run/berth-docker/runc";
    const std::size_t at = text.find(real);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, real.size(), dir + "/runc");
    std::ofstream(dir + "/wrapper") << text;
    std::ofstream(dir + "/runc") << "#!/bin/sh\nprintf '<%s>' \"$@\"\n";
    ASSERT_EQ(::chmod((dir + "/wrapper").c_str(), 0755), 0);
    ASSERT_EQ(::chmod((dir + "/runc").c_str(), 0755), 0);
    std::filesystem::create_directory(dir + "/bundle");
  }
  void TearDown() override { std::filesystem::remove_all(dir); }
  std::string config() const { return dir + "/bundle/config.json"; }
  /// What becomes of a config.json.
  std::string wrapped(const std::string& json) {
    std::ofstream(config()) << json;
    const std::string said =
        run(dir + "/wrapper --root /r --log /l create --bundle " + dir + "/bundle --pid-file /p abc 2>&1");
    EXPECT_EQ(said, "<--root></r><--log></l><create><--bundle><" + dir + "/bundle><--pid-file></p><abc>");
    return read_file(config());
  }
  std::string dir;
};

TEST_F(RuncWrapper, TakesTheMaskedDirectoriesOutAndKeepsTheFiles) {
  EXPECT_EQ(
      wrapped(R"({"ociVersion":"1.2","linux":{"maskedPaths":["/proc/acpi","/proc/asound","/proc/interrupts",)"
              R"("/proc/kcore","/proc/scsi","/sys/devices/system/cpu/cpu0/thermal_throttle",)"
              R"("/sys/devices/virtual/powercap","/sys/firmware"],"readonlyPaths":["/proc/bus","/sys/firmware"]}})"),
      R"({"ociVersion":"1.2","linux":{"maskedPaths":["/proc/interrupts","/proc/kcore"],)"
      R"("readonlyPaths":["/proc/bus","/sys/firmware"]}})");
}

TEST_F(RuncWrapper, AnArrayOfDirectoriesOnlyBecomesEmpty) {
  EXPECT_EQ(wrapped(R"({"linux":{"maskedPaths":["/proc/acpi","/sys/firmware"]}})"), R"({"linux":{"maskedPaths":[]}})");
}

TEST_F(RuncWrapper, TextThatOnlyLooksLikeTheKeyStays) {
  const std::string json =
      R"({"process":{"args":["echo","\"maskedPaths\":[\"/sys/firmware\"]","/sys/firmware"]},"linux":{}})";
  EXPECT_EQ(wrapped(json), json);
}

TEST_F(RuncWrapper, OtherVerbsLeaveTheFileAlone) {
  const std::string json = R"({"linux":{"maskedPaths":["/sys/firmware"]}})";
  std::ofstream(config()) << json;
  EXPECT_EQ(run("cd " + dir + "/bundle && ../wrapper --root /r delete create 2>&1"), "<--root></r><delete><create>");
  EXPECT_EQ(read_file(config()), json);
  EXPECT_EQ(run(dir + "/wrapper --version 2>&1"), "<--version>");
}

TEST(DockerScripts, AreWhatAShellCanRead) {
  const std::string dir = ::testing::TempDir();
  for (std::string_view text : {docker_start_script(), docker_network_script(), runc_wrapper_script()}) {
    std::ofstream(dir + "berth-script") << text;
    EXPECT_EQ(run("sh -n " + dir + "berth-script 2>&1"), "");
  }
  std::filesystem::remove(dir + "berth-script");
}

TEST(DockerScripts, AMissingDockerdIsTheFirstThingSaid) {
  docker_plan_options o;
  o.dockerd = "no-such-dockerd-anywhere";
  const auto plan = plan_docker(o);
  ASSERT_TRUE(plan);
  std::string line = std::string(start_nonce_variable) + "=n0 ";
  for (const std::string& arg : plan->start.argv) {
    std::string quoted = "'";
    for (char c : arg) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    line += quoted + "' ";
  }
  EXPECT_EQ(run(line), "berth:n0:missing\n[status 127]");
}

}  // namespace
}  // namespace berth
