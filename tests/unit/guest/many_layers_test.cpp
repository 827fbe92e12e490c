// SPDX-License-Identifier: Apache-2.0
#include "guest/runtime/containerd.hpp"
#include "guest/docker/overlay_links.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace berth::guest {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A store as dockerd makes it: a link of 26 characters for each layer, and what it lies on.
class OverlayLinks : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/berth-layers-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    store_ = path;
    fs::create_directory(store_ / "l");
  }
  void TearDown() override { fs::remove_all(store_); }

  static std::string layer(int n) { return "layer" + std::to_string(n); }
  static std::string link(int n) {
    std::string name = std::to_string(n);
    return std::string(26 - name.size(), 'A') + name;
  }
  std::string lower(int n) const { return text_of(store_ / layer(n) / "lower"); }
  void write_lower(int n, const std::string& text) const { std::ofstream(store_ / layer(n) / "lower") << text; }
  void make_link(int n) const {
    fs::create_directories(store_ / layer(n) / "diff");
    fs::create_symlink("../" + layer(n) + "/diff", store_ / "l" / link(n));
  }
  void make(int n) const {
    make_link(n);
    if (n > 0) write_lower(n, "l/" + link(n - 1) + (n > 1 ? ":" + lower(n - 1) : ""));
  }
  std::size_t short_links() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(store_ / "l"))
      count += entry.path().filename().string().size() == 2;
    return count;
  }
  /// The layers that a layer lies on, from the top, by what its links lead to.
  std::vector<std::string> below(int n) const {
    std::vector<std::string> out;
    std::stringstream all(lower(n));
    for (std::string one; std::getline(all, one, ':');)
      out.push_back(fs::read_symlink(store_ / one).parent_path().filename().string());
    return out;
  }
  void expect_chain(int n) const {
    std::vector<std::string> expected;
    for (int i = n; i-- > 0;) expected.push_back(layer(i));
    EXPECT_EQ(below(n), expected) << lower(n);
  }

  fs::path store_;
};

TEST_F(OverlayLinks, AStoreThatIsThereIsShortened) {
  for (int i = 0; i <= 125; ++i) make(i);
  overlay_links links(store_);
  ASSERT_TRUE(links.scan());
  EXPECT_FALSE(links.settle()) << "the lowest one lies on nothing, which may still come";
  for (const int n : {33, 90, 125}) {
    EXPECT_EQ(lower(n).size(), n * 5u - 1) << lower(n);
    expect_chain(n);
  }
  // Few are left alone, and dockerd's own links are there for it.
  EXPECT_EQ(lower(1), "l/" + link(0));
  EXPECT_EQ(lower(32).size(), 32 * 29u - 1);
  EXPECT_TRUE(fs::is_directory(store_ / "l" / link(90)));

  // Once more changes nothing.
  const std::string before = lower(125);
  overlay_links again(store_);
  ASSERT_TRUE(again.scan());
  again.settle();
  EXPECT_EQ(lower(125), before);
  EXPECT_EQ(short_links(), 125u);
}

TEST_F(OverlayLinks, LayersThatComeAreShortenedOnceTheyAreComplete) {
  for (int i = 0; i < 40; ++i) make(i);
  overlay_links links(store_);
  ASSERT_TRUE(links.scan());
  links.settle();
  links.forget_added();

  make_link(40);
  links.added(link(40));
  EXPECT_FALSE(links.settle()) << "no file yet";
  const std::string whole = "l/" + link(39) + ":" + lower(39);
  write_lower(40, whole.substr(0, whole.rfind(':')));
  EXPECT_FALSE(links.settle()) << "written in part";
  write_lower(40, whole);
  EXPECT_TRUE(links.settle());
  EXPECT_EQ(lower(40).size(), 40 * 5u - 1);
  expect_chain(40);
}

TEST_F(OverlayLinks, LinksGoWithTheirLayers) {
  for (int i = 0; i <= 50; ++i) make(i);
  overlay_links links(store_);
  ASSERT_TRUE(links.scan());
  links.settle();
  ASSERT_EQ(short_links(), 50u);
  // As dockerd removes them.
  for (const int n : {50, 49}) {
    fs::remove(store_ / "l" / link(n));
    fs::remove_all(store_ / layer(n));
    links.removed(link(n));
  }
  EXPECT_EQ(short_links(), 49u);
  fs::remove(store_ / "l" / link(48));
  fs::remove_all(store_ / layer(48));
  overlay_links later(store_);
  ASSERT_TRUE(later.scan());
  EXPECT_EQ(short_links(), 48u) << "and what went while nobody looked";
}

TEST_F(OverlayLinks, WhatIsNotUnderstoodIsLeftAlone) {
  overlay_links nowhere(store_ / "none");
  EXPECT_FALSE(nowhere.scan());
  for (int i = 0; i <= 40; ++i) make(i);
  fs::create_symlink("../../elsewhere", store_ / "l" / "zz");
  fs::create_symlink("../" + layer(3) + "/../x/diff", store_ / "l" / "odd");
  std::ofstream(store_ / "l" / "file") << "text";
  const std::string strange = "/absolute/path:" + lower(40);
  write_lower(40, strange);
  overlay_links links(store_);
  ASSERT_TRUE(links.scan());
  links.settle();
  EXPECT_EQ(lower(40), strange);
  EXPECT_TRUE(fs::is_symlink(store_ / "l" / "zz"));
}

constexpr const char* written_by_dockerd = R"(disabled_plugins = ['io.containerd.grpc.v1.cri']
imports = []
oom_score = 0
root = '/var/lib/docker/containerd/daemon'
state = '/var/run/docker/containerd/daemon'
version = 2

[plugins]
[plugins.'io.containerd.internal.v1.opt']
  path = '/x'
)";

TEST(ShortSnapshots, TheSnapshotterGetsAShortDirectory) {
  std::string directory;
  EXPECT_EQ(with_short_snapshots(written_by_dockerd, "/run/.l", directory),
            std::string(written_by_dockerd) +
                "\n[plugins.\"io.containerd.snapshotter.v1.overlayfs\"]\n  root_path = \"/run/.l\"\n");
  EXPECT_EQ(directory, "/var/lib/docker/containerd/daemon/io.containerd.snapshotter.v1.overlayfs");
}

TEST(ShortSnapshots, AConfigurationOfItsOwnOrOfAnotherVersionIsLeftAlone) {
  const std::vector<std::string> others = {
      "",
      "version = 2\n",
      "root = \"/d\"\n",
      "root = \"/d\"\nversion = 1\n",
      "root = \"relative\"\nversion = 2\n",
      "version = 2\n[table]\nroot = \"/d\"\n",
      written_by_dockerd + std::string("[plugins.'io.containerd.snapshotter.v1.overlayfs']\n  root_path = '/own'\n"),
  };
  for (const std::string& config : others) {
    std::string directory;
    EXPECT_EQ(with_short_snapshots(config, "/run/.l", directory), "") << config;
  }
}

}  // namespace
}  // namespace berth::guest
