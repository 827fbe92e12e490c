// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace berth {
namespace {

namespace fs = std::filesystem;

class SpecFile : public testing::Test {
 protected:
  SpecFile() {
    std::string pattern = (fs::temp_directory_path() / "berth-spec-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SpecFile() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return (directory_ / name).string(); }
  static std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }
  static spec_builder parse(const char* json) { return spec_builder::parse(json).value(); }

  fs::path directory_;
};

TEST_F(SpecFile, WritesAndLoads) {
  const spec_builder spec = parse(R"({"hostname":"h","n":1.0})");
  ASSERT_TRUE(spec.write_file(path("config.json")));
  EXPECT_EQ(read(path("config.json")), "{\n    \"hostname\": \"h\",\n    \"n\": 1.0\n}\n");
  EXPECT_EQ(spec_builder::load(path("config.json")).value().to_json(), spec.to_json());
  EXPECT_EQ(entries(), 1u);
  struct stat st;
  ASSERT_EQ(::stat(path("config.json").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777u, 0600u);
  ASSERT_TRUE(spec.write_file(path("config.json"), 0644));
  ASSERT_EQ(::stat(path("config.json").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777u, 0644u);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(SpecFile, ReplacesTheNameNotTheFile) {
  ASSERT_TRUE(parse(R"({"x":1})").write_file(path("config.json")));
  fs::create_hard_link(path("config.json"), path("other"));
  ASSERT_TRUE(parse(R"({"x":2})").write_file(path("config.json")));
  EXPECT_EQ(spec_builder::load(path("other")).value().to_json(), R"({"x":1})");
  EXPECT_EQ(spec_builder::load(path("config.json")).value().to_json(), R"({"x":2})");
}

TEST_F(SpecFile, AReaderSeesTheOldOrTheNew) {
  const std::string filler(20000, 'a');
  const spec_builder one = parse(("{\"x\":\"1" + filler + "\"}").c_str());
  const spec_builder two = parse(("{\"x\":\"2" + filler + filler + "\"}").c_str());
  const std::string one_json = one.to_json();
  const std::string two_json = two.to_json();
  const std::string file = path("config.json");
  ASSERT_TRUE(one.write_file(file));
  std::jthread writer([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      ASSERT_TRUE(two.write_file(file));
      ASSERT_TRUE(one.write_file(file));
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto seen = spec_builder::load(file);
    ASSERT_TRUE(seen) << seen.error().to_string();
    const std::string json = seen->to_json();
    ASSERT_TRUE(json == one_json || json == two_json);
  }
  writer.request_stop();
  writer.join();
  EXPECT_EQ(entries(), 1u);
}

TEST_F(SpecFile, RefusesASymbolicLink) {
  ASSERT_TRUE(parse(R"({"x":1})").write_file(path("real.json")));
  fs::create_symlink("real.json", path("config.json"));
  const auto written = parse(R"({"x":2})").write_file(path("config.json"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::spec_path);
  EXPECT_EQ(written.error().path, path("config.json"));
  const auto loaded = spec_builder::load(path("config.json"));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, errc::spec_path);
  EXPECT_EQ(spec_builder::load(path("real.json")).value().to_json(), R"({"x":1})");
  EXPECT_EQ(entries(), 2u);

  fs::create_symlink("nowhere", path("dangling"));
  EXPECT_EQ(parse("{}").write_file(path("dangling")).error().code, errc::spec_path);
}

TEST_F(SpecFile, RefusesWhatIsNoFile) {
  fs::create_directory(path("d"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  for (const char* name : {"d", "fifo"}) {
    EXPECT_EQ(parse("{}").write_file(path(name)).error().code, errc::spec_path) << name;
    EXPECT_EQ(spec_builder::load(path(name)).error().code, errc::spec_path) << name;
  }
  EXPECT_EQ(spec_builder::load("/dev/zero").error().code, errc::spec_path);
  EXPECT_EQ(parse("{}").write_file(path("")).error().code, errc::invalid);
  EXPECT_EQ(parse("{}").write_file(path("d/..")).error().code, errc::invalid);
}

TEST_F(SpecFile, FailuresNameTheFileAndLeaveNothing) {
  const auto absent = spec_builder::load(path("absent"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, errc::not_found);
  EXPECT_EQ(absent.error().path, path("absent"));
  EXPECT_EQ(parse("{}").write_file(path("absent/config.json")).error().code, errc::not_found);
  std::ofstream(path("bad.json")) << R"({"hostname":1})";
  const auto bad = spec_builder::load(path("bad.json"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().path, "/hostname");
  EXPECT_NE(bad.error().detail.find(path("bad.json")), std::string::npos);
  EXPECT_EQ(parse("{}").write_file(path(std::string(300, 'n'))).error().code, errc::io);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(SpecFile, TooLargeIsRefusedBeforeItIsRead) {
  const std::string file = path("large.json");
  std::ofstream(file) << "{}";
  fs::resize_file(file, (16u << 20) + 1);
  EXPECT_EQ(spec_builder::load(file).error().code, errc::spec_too_large);
}

TEST_F(SpecFile, WhatIndentingWouldMakeTooLargeIsWrittenCompact) {
  std::string many = "{\"x\":[0";
  for (int i = 0; i < (3 << 20); ++i) many += ",0";
  many += "]}";
  const spec_builder spec = parse(many.c_str());  // 6 MiB, and 27 MiB with a line for each
  ASSERT_TRUE(spec.write_file(path("config.json")));
  const auto again = spec_builder::load(path("config.json"));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_TRUE(again->to_json() == many);
}

TEST_F(SpecFile, WhatHasBecomeTooLargeIsNotWritten) {
  ASSERT_TRUE(parse(R"({"x":1})").write_file(path("config.json")));
  spec_builder spec = parse(("{\"x\":\"" + std::string((16u << 20) - 100, 'a') + "\"}").c_str());
  ASSERT_TRUE(spec_annotations(spec).set("key", std::string(200, 'b')));
  const auto written = spec.write_file(path("config.json"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::spec_too_large);
  EXPECT_EQ(written.error().path, path("config.json"));
  EXPECT_EQ(spec_builder::load(path("config.json")).value().to_json(), R"({"x":1})");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(SpecFile, AFullDiskLeavesTheOldFile) {
  // /dev/full cannot be renamed onto; a size limit stands in for a full disk.
  ASSERT_TRUE(parse(R"({"x":1})").write_file(path("config.json")));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    struct rlimit limit {
      1000, 1000
    };
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    const std::string big = "{\"x\":\"" + std::string(5000, 'a') + "\"}";
    const auto outcome = spec_builder::parse(big).value().write_file(path("config.json"));
    ::_exit(!outcome && outcome.error().code == errc::io ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(spec_builder::load(path("config.json")).value().to_json(), R"({"x":1})");
  EXPECT_EQ(entries(), 1u);
}

}  // namespace
}  // namespace berth
