// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/data_root.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace berth;
namespace fs = std::filesystem;
using std::string;

class DataRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-data-root-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    top_ = name;
    ASSERT_EQ(::chmod(name, 0755), 0);
  }
  void TearDown() override { fs::remove_all(top_); }
  // As releases before left one: the directory itself was Docker's.
  void make_bare() {
    for (const char* below : {"containers", "network/files", "volumes", "overlay2/l"})
      fs::create_directories(top_ + "/" + below);
    std::ofstream(top_ + "/engine-id") << "kept";
  }
  static mode_t mode(const string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }
  string own() const { return top_ + "/berth-data-root"; }
  string inner() const { return own() + "/docker"; }
  void expect_refused(errc code, const string& path) {
    const auto opened = open_data_root(top_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code) << opened.error().to_string();
    EXPECT_EQ(opened.error().path, path);
    EXPECT_FALSE(opened.error().hint.empty());
  }
  string top_;
};

TEST_F(DataRoot, LiesBelowADirectoryThatIsClosed) {
  const auto opened = open_data_root(top_);
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(*opened, inner());
  EXPECT_EQ(mode(own()), 0700u);
  EXPECT_EQ(mode(top_), 0755u);  // the user's own
  ASSERT_EQ(::chmod(own().c_str(), 0755), 0);
  EXPECT_EQ(::chmod(inner().c_str(), 0777), 0);
  ASSERT_TRUE(open_data_root(top_ + "/."));
  EXPECT_EQ(mode(own()), 0700u);
  EXPECT_EQ(mode(inner()), 0777u);  // the sandbox's own
}

TEST_F(DataRoot, AnEarlierReleasesOneIsMovedWhole) {
  make_bare();
  std::ofstream(top_ + "/rootsh") << "";
  ASSERT_EQ(::chmod(top_.c_str(), 0777), 0);
  const auto opened = open_data_root(top_);
  ASSERT_TRUE(opened) << opened.error().to_string();
  EXPECT_EQ(std::distance(fs::directory_iterator(top_), fs::directory_iterator()), 1);
  for (const char* below : {"containers", "network/files", "volumes", "overlay2/l", "engine-id", "rootsh"})
    EXPECT_TRUE(fs::exists(inner() + "/" + below)) << below;
  EXPECT_EQ(mode(top_), 0700u);
}

TEST_F(DataRoot, AMoveThatWasBrokenOffGoesOn) {
  make_bare();
  fs::create_directories(inner());
  fs::rename(top_ + "/containers", inner() + "/containers");  // no longer to be told from a directory of the user's
  std::ofstream(own() + "/moving") << "";
  ASSERT_TRUE(open_data_root(top_));
  EXPECT_TRUE(fs::exists(inner() + "/engine-id"));
  EXPECT_FALSE(fs::exists(own() + "/moving"));
  // After it, what the user puts beside stays.
  std::ofstream(top_ + "/notes") << "";
  ASSERT_TRUE(open_data_root(top_));
  EXPECT_TRUE(fs::exists(top_ + "/notes"));
}

TEST_F(DataRoot, WhatStandsInTheWayIsSaid) {
  make_bare();
  fs::create_directories(inner() + "/volumes");
  expect_refused(errc::exists, top_ + "/volumes");
  fs::remove_all(inner());
  fs::create_directory_symlink("/etc", inner());
  expect_refused(errc::invalid, inner());
  fs::remove_all(own());
  fs::create_directory_symlink("/etc", own());
  expect_refused(errc::invalid, own());
}

TEST_F(DataRoot, ADirectoryThatOthersWriteToIsRefused) {
  ASSERT_EQ(::chmod(top_.c_str(), 01777), 0);
  expect_refused(errc::permission, top_);
  EXPECT_FALSE(fs::exists(own()));
  fs::remove_all(top_);
  expect_refused(errc::not_found, top_);
}

TEST_F(DataRoot, OfASizeIsAFileBesideNoOtherData) {
  const string file = own() + "/docker.ext4";
  auto found = find_data_root_disk(top_, 0);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(*found, "");
  ASSERT_TRUE(open_data_root(top_));  // empty: of a sandbox that never came up
  found = find_data_root_disk(top_, 1u << 30);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(*found, file);
  EXPECT_EQ(mode(own()), 0700u);

  ASSERT_TRUE(open_data_root(top_));
  std::ofstream(inner() + "/engine-id") << "kept";
  found = find_data_root_disk(top_, 1u << 30);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, errc::exists);
  EXPECT_EQ(found.error().path, inner());
  EXPECT_TRUE(fs::exists(inner() + "/engine-id"));

  fs::remove_all(inner());
  std::ofstream(file) << "a file system";
  found = find_data_root_disk(top_, 0);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(*found, file);
  expect_refused(errc::exists, file);

  fs::remove(file);
  make_bare();
  found = find_data_root_disk(top_, 1u << 30);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().path, top_);
}

}  // namespace
