// SPDX-License-Identifier: Apache-2.0
#include "texts.hpp"

#include <berth/impl/runsc/probe_cache.ipp>
#include <berth/runsc/probe.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace berth {
namespace {

namespace fs = std::filesystem;

/// A directory with a stand-in for the binary: only its identity matters here, the runner answers in its place.
class ProbeTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-probe-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir = name;
    path = dir + "/runsc";
    std::ofstream(path) << "#!/bin/sh\n";
    fs::permissions(path, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(dir); }

  runsc_runner runner() {
    return [this](const std::vector<std::string>& argv) -> result<std::string> {
      ++runs;
      if (argv.size() < 2 || argv[0] != path) return make_error(errc::invalid, "test", "argv");
      if (argv[1] == "--version") return texts.version;
      if (argv[1] == "flags") return texts.flags;
      if (argv[1] == "help" && argv.size() == 2) return texts.verbs;
      if (argv[1] == "help") return texts.help.at(argv[2]);
      return make_error(errc::invalid, "test", argv[1]);
    };
  }

  std::string dir, path;
  runsc_texts texts = test::texts_of("20260701");
  int runs = 0;
};

TEST_F(ProbeTest, AsksOnceAndThenRemembers) {
  auto first = probe_runsc(path, runner());
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(first->version().text, "release-20260701.0");
  EXPECT_EQ(first->path(), path);
  EXPECT_EQ(runs, 15);  // --version, flags, help, and help of twelve verbs
  auto second = probe_runsc(path, runner());
  ASSERT_TRUE(second);
  EXPECT_EQ(runs, 15);
}

TEST_F(ProbeTest, AsksAnewWhenTheFileChanges) {
  ASSERT_TRUE(probe_runsc(path, runner()));
  const int before = runs;
  std::ofstream(path, std::ios::app) << "# newer\n";
  texts = test::texts_of("20221219");
  auto again = probe_runsc(path, runner());
  ASSERT_TRUE(again);
  EXPECT_GT(runs, before);
  EXPECT_EQ(again->version().date, 20221219u);
}

TEST_F(ProbeTest, KeepsTheAnswersOnDisk) {
  const std::string cache = dir + "/cache";
  ASSERT_TRUE(probe_runsc(path, runner(), cache));
  EXPECT_EQ(fs::status(cache).permissions() & fs::perms::all, fs::perms::owner_all);
  ASSERT_EQ(std::distance(fs::directory_iterator(cache), fs::directory_iterator()), 1);
  // What another process would read.
  const auto who = detail::identify_runsc(path);
  ASSERT_TRUE(who);
  const auto kept = detail::load_runsc_cache(cache, *who);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->flags, texts.flags);
  EXPECT_EQ(kept->help, texts.help);
  auto other = *who;
  other.mtime_ns += 1;
  EXPECT_FALSE(detail::load_runsc_cache(cache, other));
}

TEST_F(ProbeTest, ReadsTheDiskCacheWithoutRunningAnything) {
  const std::string cache = dir + "/cache";
  const auto who = detail::identify_runsc(path);
  ASSERT_TRUE(who);
  detail::store_runsc_cache(cache, *who, texts);
  const auto binary = probe_runsc(path, {}, cache);
  ASSERT_TRUE(binary) << binary.error().to_string();
  EXPECT_TRUE(binary->has("net-raw"));
  EXPECT_EQ(runs, 0);
}

TEST_F(ProbeTest, DamagedOrForeignCachesAreMadeAnew) {
  const std::string cache = dir + "/cache";
  const auto who = detail::identify_runsc(path);
  ASSERT_TRUE(who);
  detail::store_runsc_cache(cache, *who, texts);
  const std::string file = detail::runsc_cache_file(cache, path);
  const std::string good = test::read_file(file);
  for (std::size_t cut : {std::size_t{0}, std::size_t{1}, good.size() / 2, good.size() - 1}) {
    std::ofstream(file, std::ios::trunc | std::ios::binary) << good.substr(0, cut);
    EXPECT_FALSE(detail::load_runsc_cache(cache, *who)) << cut;
  }
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 1;
  std::ofstream(file, std::ios::trunc | std::ios::binary) << flipped;
  EXPECT_FALSE(detail::load_runsc_cache(cache, *who));
  ASSERT_TRUE(probe_runsc(path, runner(), cache));
  EXPECT_EQ(runs, 15);
  EXPECT_TRUE(detail::load_runsc_cache(cache, *who));
  // Writable by others, or a symlink: not believed.
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  EXPECT_FALSE(detail::load_runsc_cache(cache, *who));
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_TRUE(detail::load_runsc_cache(cache, *who));
  fs::rename(file, dir + "/elsewhere");
  fs::create_symlink(dir + "/elsewhere", file);
  EXPECT_FALSE(detail::load_runsc_cache(cache, *who));
}

TEST_F(ProbeTest, ACacheThatCannotBeWrittenIsNoError) {
  const auto binary = probe_runsc(path, runner(), dir + "/no/such/parent");
  EXPECT_TRUE(binary) << binary.error().to_string();
}

TEST_F(ProbeTest, ARunThatFailsIsNotRemembered) {
  bool broken = true;
  const runsc_runner good = runner();
  const runsc_runner sometimes = [&](const std::vector<std::string>& argv) -> result<std::string> {
    if (broken && argv.back() == "restore") return make_error(errc::again, "process", "cannot start: out of pids");
    return good(argv);
  };
  const auto first = probe_runsc(path, sometimes, dir + "/cache");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, errc::runsc_failed);
  EXPECT_NE(first.error().message.find("out of pids"), std::string::npos);
  broken = false;
  const auto second = probe_runsc(path, sometimes, dir + "/cache");
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->has("restore", "background"));
}

TEST_F(ProbeTest, TellsWhatToRunOneByOne) {
  auto asking = runsc_probe::begin(path);
  ASSERT_TRUE(asking) << asking.error().to_string();
  EXPECT_EQ(asking->finish().error().code, errc::state);  // nothing was answered yet
  const runsc_runner run = runner();
  while (const auto argv = asking->next()) ASSERT_TRUE(asking->answer(run(*argv)));
  EXPECT_EQ(runs, 15);
  EXPECT_EQ(asking->answer(std::string()).error().code, errc::state);
  const auto binary = asking->finish();
  ASSERT_TRUE(binary) << binary.error().to_string();
  EXPECT_EQ(binary->version().text, "release-20260701.0");
  auto again = runsc_probe::begin(path);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->next());
  EXPECT_TRUE(again->finish());
}

TEST_F(ProbeTest, FindsOnlyProgramsAndOnlyInAbsoluteDirectories) {
  EXPECT_EQ(*find_runsc("", dir), path);
  EXPECT_EQ(*find_runsc("runsc", "/nonexistent:" + dir), path);
  EXPECT_EQ(*find_runsc(path, ""), path);
  EXPECT_EQ(find_runsc("runsc", "").error().code, errc::runsc_not_found);
  EXPECT_EQ(find_runsc("runsc", ":.").error().code, errc::runsc_not_found);
  EXPECT_EQ(find_runsc(dir + "/none", "").error().code, errc::runsc_not_found);
  EXPECT_EQ(find_runsc(dir + "/", "").error().code, errc::permission);
  EXPECT_FALSE(find_runsc(dir + "/none", "").error().hint.empty());
  fs::permissions(path, fs::perms::owner_read);
  EXPECT_EQ(find_runsc("runsc", dir).error().code, errc::runsc_not_found);
  EXPECT_EQ(find_runsc(path, "").error().code, errc::permission);
}

TEST(RunscBinary, KnowsThePacketWriteFlagUnderBothNames) {
  EXPECT_EQ(test::binary_of("20260701").packet_write_flag(), "allow-packet-socket-write");
  EXPECT_EQ(test::binary_of("20240729").packet_write_flag(), "TESTONLY-allow-packet-endpoint-write");
  runsc_texts texts = test::texts_of("20260701");
  texts.flags = "  -root string\n    \tx\n";
  EXPECT_EQ(runsc_binary::from_text("/x", texts)->packet_write_flag(), "");
}

TEST(RunscBinary, AnOptionWithoutEffectCountsAsLacking) {
  EXPECT_FALSE(test::binary_of("20260701").has("cgroupfs"));
  EXPECT_FALSE(test::binary_of("20260701").has("lisafs"));
  EXPECT_TRUE(test::binary_of("20260701").has("fsgofer-host-uds"));
}

TEST(RunscBinary, KnowsVerbs) {
  EXPECT_TRUE(test::binary_of("20260701").has_verb("fscheckpoint"));
  EXPECT_FALSE(test::binary_of("20221219").has_verb("fscheckpoint"));
  EXPECT_TRUE(test::binary_of("20221219").has_verb("start"));
  EXPECT_TRUE(test::binary_of("20221219").has("delete", "force"));
  EXPECT_TRUE(test::binary_of("20221219").has("list", "format"));
  EXPECT_FALSE(test::binary_of("20221219").has("nosuch", "format"));
}

TEST(RunscBinary, RefusalNamesTheReleaseThatBroughtTheOption) {
  const auto r = test::binary_of("20221219").require("run", "pass-fd");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::runsc_flag_unsupported);
  EXPECT_EQ(r.error().message, "this runsc is 0.0~20221219.0; --pass-fd of `runsc run` needs release-20230320.0");
  const auto packet = test::binary_of("20240729").require("", "allow-packet-socket-write");
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().message,
            "this runsc is 0.0~20240729.0; --allow-packet-socket-write needs release-20251208.0 (before: "
            "--TESTONLY-allow-packet-endpoint-write)");
  const auto verb = test::binary_of("20240729").require("fscheckpoint", "image-path");
  ASSERT_FALSE(verb);
  EXPECT_EQ(verb.error().message, "this runsc is 0.0~20240729.0; `runsc fscheckpoint` needs release-20260323.0");
  const auto gone = test::binary_of("20260701").require("", "cgroupfs");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, "this runsc is release-20260701.0; --cgroupfs is gone since release-20231218.0");
  EXPECT_NE(gone.error().hint.find("cgroup"), std::string::npos);
  const auto never = test::binary_of("20260701").require("", "no-such-option");
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().message, "this runsc is release-20260701.0; it has no --no-such-option");
}

TEST(RunscBinary, RefusesTextsThatAreNotRunscs) {
  runsc_texts texts = test::texts_of("20260701");
  texts.version = "runc version 1.3.6\n";
  EXPECT_EQ(runsc_binary::from_text("/x", texts).error().code, errc::runsc_output);
  texts = test::texts_of("20260701");
  texts.flags.clear();
  EXPECT_EQ(runsc_binary::from_text("/x", texts).error().code, errc::runsc_output);
  texts = test::texts_of("20260701");
  texts.verbs = "nothing\n";
  EXPECT_EQ(runsc_binary::from_text("/x", texts).error().code, errc::runsc_output);
}

}  // namespace
}  // namespace berth
