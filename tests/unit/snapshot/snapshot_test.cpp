// SPDX-License-Identifier: Apache-2.0
#include <berth/snapshot/detail/unfinished.hpp>
#include <berth/snapshot/manifest.hpp>
#include <berth/snapshot/store.hpp>

#include <gtest/gtest.h>

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace {

using namespace berth;

snapshot_manifest example() {
  snapshot_manifest m;
  m.name = "warm";
  m.created_ms = 1795500000123;
  m.took_ms = 440;
  m.berth = "0.1.0";
  m.docker = true;
  m.base = {"release-20260905.0", "fpu sse avx", "0123456789abcdef"};
  m.source.id = "box";
  m.source.token = "abcdefghijklm";
  m.source.phase = record_phase::running;
  m.source.rootfs = "/srv/rootfs \"1\"";
  m.source.hostname = "box";
  m.source.net = record_network{*parse_ipv4_subnet("10.211.0.4/30"), 1450, 77, {}};
  m.source.packet_socket_write = true;
  m.source.runsc_args = {"--platform=systrap"};
  return m;
}

TEST(SnapshotManifest, IsReadBack) {
  const auto read = parse_snapshot_manifest(format_snapshot_manifest(example()));
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->name, "warm");
  EXPECT_EQ(read->created_ms, 1795500000123);
  EXPECT_EQ(read->took_ms, 440);
  EXPECT_TRUE(read->docker);
  EXPECT_EQ(read->base.runsc, "release-20260905.0");
  EXPECT_EQ(read->base.cpu, "fpu sse avx");
  EXPECT_EQ(read->base.rootfs, "0123456789abcdef");
  EXPECT_EQ(read->source.rootfs, "/srv/rootfs \"1\"");
  EXPECT_TRUE(read->source.packet_socket_write);
  EXPECT_EQ(read->source.runsc_args, std::vector<std::string>{"--platform=systrap"});
}

TEST(SnapshotManifest, NonsenseIsDamagedAndALaterVersionSaysSo) {
  for (const char* bad : {"", "{}", "[]", "{\"version\":1,\"name\":\"x\"}", "\xff"}) {
    const auto read = parse_snapshot_manifest(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().code, errc::record_damaged) << bad;
  }
  const auto later = parse_snapshot_manifest("{\"version\":99}");
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message.find("version 99 is from a later berth"), std::string::npos);
}

TEST(SnapshotBase, WhatDiffersIsSaidInWords) {
  const snapshot_manifest m = example();
  EXPECT_TRUE(check_snapshot_base(m, m.base));
  snapshot_base here = m.base;
  here.cpu = "avx avx512f fpu sse";  // more is well
  EXPECT_TRUE(check_snapshot_base(m, here));

  const auto refused = [&m](const snapshot_base& base) {
    const auto checked = check_snapshot_base(m, base);
    EXPECT_FALSE(checked);
    if (checked) return std::string();
    EXPECT_EQ(checked.error().code, errc::unsupported);
    EXPECT_FALSE(checked.error().hint.empty());
    return checked.error().message;
  };
  here = m.base;
  here.runsc = "release-20261001.0";
  EXPECT_EQ(refused(here),
            "the snapshot warm cannot be restored here: it was made by runsc release-20260905.0, and this is "
            "release-20261001.0");
  here = m.base;
  here.rootfs = "f";
  EXPECT_NE(refused(here).find("its root file system was changed or replaced: /srv/rootfs"), std::string::npos);
  here = m.base;
  here.cpu = "fpu";
  EXPECT_EQ(refused(here), "the snapshot warm cannot be restored here: this machine's CPU lacks sse avx");
}

class SnapshotStore : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/berth-snapshots-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    where_.root = name;
  }
  void TearDown() override { std::filesystem::remove_all(where_.root); }

  void make(const std::string& name) {
    auto one = detail::unfinished_snapshot::begin(where_, name);
    ASSERT_TRUE(one) << one.error().to_string();
    std::ofstream(one->place().image() + "/pages.img") << std::string(5000, 'x');
    std::ofstream(one->place().init()) << "program";
    snapshot_manifest manifest = example();
    manifest.name = name;
    const auto done = one->finish(manifest);
    ASSERT_TRUE(done) << done.error().to_string();
  }
  std::vector<std::string> names() {
    const auto all = list_snapshots(where_);
    EXPECT_TRUE(all) << all.error().to_string();
    std::vector<std::string> out;
    if (all)
      for (const stored_snapshot& one : *all) out.push_back(one.manifest.name + (one.damaged ? " damaged" : ""));
    return out;
  }

  environment where_;
};

TEST_F(SnapshotStore, ListsWhatIsWholeAndOnlyItsOwnerReadsIt) {
  EXPECT_TRUE(names().empty());
  make("b");
  make("a");
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b"}));
  const auto found = find_snapshot(where_, "a");
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_GE(found->manifest.bytes, 5007u);
  struct stat info {};
  ASSERT_EQ(::stat((found->image() + "/pages.img").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  ASSERT_EQ(::stat(found->directory.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  EXPECT_TRUE(remove_snapshot(where_, "a"));
  EXPECT_EQ(names(), std::vector<std::string>{"b"});
}

TEST_F(SnapshotStore, ANameIsTakenOnce) {
  make("a");
  const auto again = detail::unfinished_snapshot::begin(where_, "a");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, errc::exists);
  for (const char* bad : {"", "..", "a/b", ".new-x", "-x"}) {
    EXPECT_EQ(detail::unfinished_snapshot::begin(where_, bad).error().code, errc::invalid) << bad;
    EXPECT_EQ(find_snapshot(where_, bad).error().code, errc::invalid) << bad;
    EXPECT_EQ(remove_snapshot(where_, bad).error().code, errc::invalid) << bad;
  }
  EXPECT_EQ(find_snapshot(where_, "none").error().code, errc::not_found);
  EXPECT_EQ(remove_snapshot(where_, "none").error().code, errc::not_found);
}

TEST_F(SnapshotStore, WhatIsBeingWrittenIsNotListedAndNotTakenForLeftBehind) {
  {
    auto one = detail::unfinished_snapshot::begin(where_, "a");
    ASSERT_TRUE(one);
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(remove_unfinished_snapshots(where_).value(), 0);
    EXPECT_TRUE(std::filesystem::exists(one->place().image()));
  }
  // Given up, it is gone.
  EXPECT_TRUE(std::filesystem::is_empty(where_.root + "/.snapshots"));
  // Of a process that was killed it stays.
  std::filesystem::create_directories(where_.root + "/.snapshots/.new-abc/image");
  std::filesystem::create_directories(where_.root + "/.snapshots/.old-abc");
  EXPECT_EQ(remove_unfinished_snapshots(where_).value(), 2);
  EXPECT_TRUE(std::filesystem::is_empty(where_.root + "/.snapshots"));
}

TEST_F(SnapshotStore, ADamagedOneIsListedAsThatAndCanBeRemoved) {
  make("a");
  std::ofstream(where_.root + "/.snapshots/a/manifest.json") << "{";
  EXPECT_EQ(names(), std::vector<std::string>{"a damaged"});
  EXPECT_EQ(find_snapshot(where_, "a").error().code, errc::record_damaged);
  EXPECT_TRUE(remove_snapshot(where_, "a"));
  EXPECT_TRUE(names().empty());
}

TEST(RootfsIdentity, ChangesWithTheFileSystem) {
  std::string directory = "/tmp/berth-identity-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  std::filesystem::create_directories(directory + "/usr/bin");
  const auto first = rootfs_identity(directory);
  ASSERT_TRUE(first);
  EXPECT_EQ(*rootfs_identity(directory), *first);
  std::ofstream(directory + "/usr/bin/tool") << "x";
  EXPECT_NE(*rootfs_identity(directory), *first);
  std::filesystem::remove_all(directory);
  EXPECT_EQ(rootfs_identity(directory).error().code, errc::not_found);
}

}  // namespace
