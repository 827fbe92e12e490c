// SPDX-License-Identifier: Apache-2.0
// `berth spec docker` as a filter and in place.
#include "capture.hpp"

#include <berth/spec/json.hpp>
#include <berth/spec/spec_builder.hpp>

#include <fstream>
#include <sstream>

namespace berth::cli {
namespace {

constexpr const char* small_spec =
    R"({"ociVersion":"1.0.2","process":{"args":["sh"],"cwd":"/"},"root":{"path":"rootfs"},"x-own":{"kept":1.0}})";

spec_builder parse(const std::string& text) {
  auto spec = spec_builder::parse(text);
  EXPECT_TRUE(spec) << (spec ? "" : spec.error().to_string());
  return std::move(*spec);
}

TEST(SpecDocker, AddsCapabilitiesCgroupAndDataRoot) {
  const test::outcome got = test::run({"spec", "docker"}, small_spec);
  ASSERT_EQ(got.code, 0) << got.err;
  const spec_builder spec = parse(got.out);
  EXPECT_NE(spec.get("/process/capabilities/bounding")->find("CAP_SYS_ADMIN"), std::string::npos);
  EXPECT_NE(spec.get("/mounts")->find("\"type\":\"cgroup\""), std::string::npos) << *spec.get("/mounts");
  EXPECT_NE(spec.get("/mounts")->find("\"destination\":\"/var/lib/docker\""), std::string::npos);
  EXPECT_EQ(*spec.get("/x-own/kept"), "1.0");
  EXPECT_NE(got.err.find("INF added docker capabilities for sandbox container"), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("INF added cgroup mount for docker-in-docker"), std::string::npos) << got.err;
}

TEST(SpecDocker, TwiceIsOnce) {
  const test::outcome once = test::run({"-q", "spec", "docker"}, small_spec);
  ASSERT_EQ(once.code, 0);
  const test::outcome twice = test::run({"spec", "docker", "-q"}, once.out);
  EXPECT_EQ(twice.code, 0);
  EXPECT_EQ(once.out, twice.out);
  EXPECT_EQ(once.err, "");
}

TEST(SpecDocker, HostBindWarnsEvenWhenItExplains) {
  for (const bool explains : {false, true}) {
    std::vector<std::string> words{"spec", "docker", "--cgroup", "host-bind"};
    if (explains) words.push_back("--explain");
    const test::outcome got = test::run(words, small_spec);
    ASSERT_EQ(got.code, 0) << got.err;
    EXPECT_NE(got.err.find("WRN "), std::string::npos) << got.err;
    EXPECT_NE(got.out.find("/sys/fs/cgroup"), std::string::npos);
  }
}

TEST(SpecDocker, NoneLeavesOut) {
  const test::outcome got = test::run({"spec", "docker", "--cgroup", "none", "--data-root", "none"}, small_spec);
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out.find("cgroup"), std::string::npos) << got.out;
  EXPECT_EQ(got.out.find("/var/lib/docker"), std::string::npos) << got.out;
}

TEST(SpecDocker, ExplainsByPointer) {
  const test::outcome got = test::run({"spec", "docker", "--explain"}, small_spec);
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_NE(got.err.find("+ /process/capabilities"), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("+ /mounts"), std::string::npos) << got.err;
  EXPECT_EQ(got.out, test::run({"spec", "docker", "-q"}, small_spec).out);

  const test::outcome as_json = test::run({"spec", "docker", "--explain", "--json"}, small_spec);
  ASSERT_EQ(as_json.code, 0) << as_json.err;
  const auto explained = parsed_json::parse(as_json.err);
  ASSERT_TRUE(explained) << as_json.err;
  EXPECT_TRUE(explained->root()["changes"].is_array());
  EXPECT_GE(explained->root()["changes"].size(), 2u);
  EXPECT_TRUE(explained->root()["changes"].at(0)["after"].is_object()) << as_json.err;
}

TEST(SpecDocker, RefusesWithPointerAndPrintsNothing) {
  const test::outcome got =
      test::run({"spec", "docker"}, R"({"ociVersion":"1.0.2","mounts":[{"destination":"/a/../b"}]})");
  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.out, "");
  EXPECT_NE(got.err.find("/mounts/0/destination"), std::string::npos) << got.err;
}

TEST(SpecDocker, RefusesASpecThatCannotRun) {
  for (const auto& [json, pointer] :
       {std::pair{R"({"ociVersion":"1.0.2","process":null})", "(/process)"},
        std::pair{R"({"ociVersion":"1.0.2","process":{"cwd":"/"}})", "(/process/args)"}}) {
    const test::outcome got = test::run({"spec", "docker", "--explain"}, json);
    EXPECT_EQ(got.code, 1) << json;
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find(pointer), std::string::npos) << got.err;
  }
}

TEST(SpecDocker, KeepsACapabilityThatItDoesNotKnowAndWarns) {
  for (const bool explains : {false, true}) {
    std::vector<std::string> words{"spec", "docker"};
    if (explains) words.push_back("--explain");
    const test::outcome got =
        test::run(words, R"({"process":{"args":["sh"],"capabilities":{"bounding":["CAP_FLY"]}},"root":{"path":"r"}})");
    ASSERT_EQ(got.code, 0) << got.err;
    EXPECT_TRUE(parse(got.out).get("/process/capabilities/bounding")->starts_with(R"(["CAP_FLY",)")) << got.out;
    EXPECT_NE(got.err.find("WRN "), std::string::npos) << got.err;
    EXPECT_NE(got.err.find("/process/capabilities/bounding/0"), std::string::npos) << got.err;
  }
}

TEST(SpecDocker, RefusesWhatIsNoJson) {
  const test::outcome got = test::run({"spec", "docker", "--json"}, "{");
  EXPECT_EQ(got.code, 1);
  EXPECT_EQ(got.out, "");
  EXPECT_NE(got.err.find("\"code\":\"spec_syntax\""), std::string::npos) << got.err;
}

TEST(SpecDocker, WhatItPrintsItReads) {
  const std::string process = R"("process":{"args":["sh"]},)";
  std::string many = "{" + process + "\"x\":[0";
  for (int i = 0; i < (3 << 20); ++i) many += ",0";
  many += "]}";
  const test::outcome once = test::run({"spec", "docker", "-q"}, many);
  ASSERT_EQ(once.code, 0) << once.err;
  EXPECT_LE(once.out.size(), 16u << 20);
  EXPECT_EQ(test::run({"spec", "docker", "-q"}, once.out).code, 0);

  const test::outcome large =
      test::run({"spec", "docker", "-q"}, "{" + process + "\"x\":\"" + std::string((16u << 20) - 150, 'a') + "\"}");
  EXPECT_EQ(large.code, 1);
  EXPECT_EQ(large.out, "");
  EXPECT_NE(large.err.find("16 MiB"), std::string::npos) << large.err;
}

TEST(SpecDocker, ChangesAFileInPlace) {
  const std::string path = testing::TempDir() + "/berth-cli-config.json";
  std::ofstream(path) << small_spec;
  const test::outcome got = test::run({"spec", "docker", "-q", "--in-place", path});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_EQ(got.out, "");
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), test::run({"spec", "docker", "-q"}, small_spec).out);
  ::unlink(path.c_str());
  EXPECT_EQ(test::run({"spec", "docker", "--in-place", path}).code, 1);
}

}  // namespace
}  // namespace berth::cli
