// SPDX-License-Identifier: Apache-2.0
#include <berth/sandbox/reach.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace {

using namespace berth;

class Reach : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-reach-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    top_ = name;
    std::filesystem::create_directories(top_ + "/a/b");
    for (const char* below : {"", "/a", "/a/b"}) set(below, 0755);
  }
  void TearDown() override { std::filesystem::remove_all(top_); }
  void set(const std::string& below, mode_t mode) { ASSERT_EQ(::chmod((top_ + below).c_str(), mode), 0); }
  bool reached(const std::string& below) {
    const auto out = others_reach(top_ + below);
    EXPECT_TRUE(out) << out.error().to_string();
    return out && *out;
  }
  std::string top_;
};

TEST_F(Reach, OneClosedDirectoryAboveIsEnoughAndThePathItselfDoesNotCount) {
  EXPECT_TRUE(reached("/a/b"));
  set("/a/b", 0700);
  EXPECT_TRUE(reached("/a/b"));
  set("/a", 0700);
  EXPECT_FALSE(reached("/a/b"));
  EXPECT_TRUE(reached("/a"));
  set("/a", 0755);
  set("", 0700);
  EXPECT_FALSE(reached("/a/b"));
}

TEST_F(Reach, AGroupThatGetsThroughIsSomebodyElse) {
  set("/a", 0710);
  EXPECT_TRUE(reached("/a/b"));
  set("/a", 0701);
  EXPECT_TRUE(reached("/a/b"));
  set("/a", 0766);  // listed, and nothing below it opened
  EXPECT_FALSE(reached("/a/b"));
}

TEST_F(Reach, LinksAreFollowed) {
  set("/a", 0700);
  std::filesystem::create_symlink(top_ + "/a/b", top_ + "/link");
  EXPECT_FALSE(reached("/link"));
  const auto none = others_reach(top_ + "/none");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
}

}  // namespace
