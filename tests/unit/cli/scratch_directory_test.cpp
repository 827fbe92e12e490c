// SPDX-License-Identifier: Apache-2.0
#include <doctor/scratch_directory.hpp>

#include "../directory.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

class ScratchDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* before = std::getenv("TMPDIR");
    had_ = before != nullptr;
    saved_ = had_ ? before : "";
    ::setenv("TMPDIR", top_.path().c_str(), 1);
  }
  void TearDown() override {
    if (had_) ::setenv("TMPDIR", saved_.c_str(), 1);
    else ::unsetenv("TMPDIR");
  }
  berth::test::directory top_;
  bool had_ = false;
  std::string saved_;
};

TEST_F(ScratchDirectory, IsClosedAndGoesWithAllThatIsInIt) {
  {
    auto made = scratch_directory::make();
    ASSERT_TRUE(made) << made.error().to_string();
    EXPECT_EQ(fs::path(made->path()).parent_path(), fs::path(top_.path()));
    struct stat info {};
    ASSERT_EQ(::stat(made->path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    fs::create_directories(made->path() + "/shut/inner");
    std::ofstream(made->path() + "/shut/inner/file") << "x";
    fs::create_symlink("/", made->path() + "/shut/link");
    fs::permissions(made->path() + "/shut/inner", fs::perms::none);
    fs::permissions(made->path() + "/shut", fs::perms::owner_read);
  }
  EXPECT_TRUE(fs::is_empty(top_.path()));
}

TEST_F(ScratchDirectory, IsRemovedOnce) {
  auto made = scratch_directory::make();
  ASSERT_TRUE(made);
  const std::string path = made->path();
  EXPECT_TRUE(made->remove());
  fs::create_directory(path);  // another's by now
  EXPECT_TRUE(made->remove());
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(ScratchDirectory, APlaceThatIsNotThereIsNamed) {
  ::setenv("TMPDIR", (top_ / "none").c_str(), 1);
  const auto made = scratch_directory::make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, errc::not_found);
  EXPECT_EQ(fs::path(made.error().path), fs::path(top_ / "none"));
}

}  // namespace
}  // namespace berth::cli
