// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <berth/process/tree.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace berth {
namespace {

using namespace test;
namespace fs = std::filesystem;

class Tree : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-tree-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    top_ = name;
    from_ = top_ + "/from";
    to_ = top_ + "/to";
    fs::create_directory(from_);
  }
  void TearDown() override { fs::remove_all(top_); }
  static struct stat look(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info;
  }
  std::string top_, from_, to_;
};

TEST_F(Tree, IsCopiedAsItIs) {
  std::ofstream(from_ + "/plain") << "text";
  fs::permissions(from_ + "/plain", fs::perms(04711));
  fs::create_hard_link(from_ + "/plain", from_ + "/second name");
  fs::create_symlink("/nowhere", from_ + "/link");
  fs::create_directory(from_ + "/-closed");
  ASSERT_EQ(::mkfifo((from_ + "/-closed/pipe").c_str(), 0600), 0);
  fs::permissions(from_ + "/-closed", fs::perms(0700));
  std::ofstream(from_ + "/holes");
  fs::resize_file(from_ + "/holes", 1ull << 40);

  const auto copied = run(copy_tree(from_, to_, deadline_after(seconds(60))));
  ASSERT_TRUE(copied) << copied.error().to_string();
  EXPECT_EQ(look(to_ + "/plain").st_mode, look(from_ + "/plain").st_mode);
  EXPECT_EQ(look(to_ + "/plain").st_mtim.tv_nsec, look(from_ + "/plain").st_mtim.tv_nsec);
  EXPECT_EQ(look(to_ + "/plain").st_ino, look(to_ + "/second name").st_ino);
  EXPECT_EQ(fs::read_symlink(to_ + "/link"), "/nowhere");
  EXPECT_TRUE(S_ISFIFO(look(to_ + "/-closed/pipe").st_mode));
  EXPECT_EQ(look(to_ + "/-closed").st_mode & 07777, 0700u);
  EXPECT_EQ(look(to_ + "/holes").st_size, 1ll << 40);
  EXPECT_LT(look(to_ + "/holes").st_blocks, 100);

  const auto bytes = run(tree_bytes(to_, deadline_after(seconds(60))));
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  EXPECT_GT(*bytes, 0u);
  EXPECT_LT(*bytes, 1u << 20);
}

// Deeper than any path can be: whoever fills a directory from within a sandbox is not held to that.
TEST_F(Tree, IsNotCopiedWhereItIsTooDeepAndThatIsSaid) {
  const std::string name(200, 'd');
  int at = ::open(from_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(::mkdirat(at, name.c_str(), 0700), 0);
    const int next = ::openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(at);
    ASSERT_GE(at = next, 0);
  }
  ::close(at);
  const auto copied = run(copy_tree(from_, to_, deadline_after(seconds(60))));
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, errc::io);
  EXPECT_NE(copied.error().detail.find("File name too long"), std::string::npos) << copied.error().to_string();
  EXPECT_TRUE(run(tree_bytes(from_, deadline_after(seconds(60)))));
}

TEST_F(Tree, SaysWhatWasInTheWay) {
  const auto copied = run(copy_tree(top_ + "/absent", to_, deadline_after(seconds(60))));
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, errc::io);
  EXPECT_EQ(copied.error().path, top_ + "/absent");
  EXPECT_NE(copied.error().detail.find("No such file or directory"), std::string::npos) << copied.error().to_string();
  const auto bytes = run(tree_bytes(top_ + "/absent", deadline_after(seconds(60))));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().path, top_ + "/absent");
}

TEST_F(Tree, IsBrokenOffAtTheDeadline) {
  for (int i = 0; i < 64; ++i) std::ofstream(from_ + "/" + std::to_string(i)) << std::string(1 << 20, 'x');
  const auto copied = run(copy_tree(from_, to_, clock::now()));
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, errc::timeout);
}

}  // namespace
}  // namespace berth
