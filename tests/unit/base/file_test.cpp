// SPDX-License-Identifier: Apache-2.0
#include <berth/base/file.hpp>
#include <berth/base/rooted.hpp>
#include <berth/base/unique_fd.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace berth {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/berth-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string operator/(const char* name) const { return root_ + "/" + name; }
  std::string root_;
};

void write_text(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

TEST_F(Files, AreReadWholeUpToTheLimit) {
  write_text(*this / "file", std::string(10000, 'x'));
  auto whole = read_file(*this / "file", 10000, "test");
  ASSERT_TRUE(whole) << whole.error().to_string();
  EXPECT_EQ(*whole, std::string(10000, 'x'));
  auto less = read_file(*this / "file", 9999, "test");
  ASSERT_FALSE(less);
  EXPECT_EQ(less.error().code, errc::too_big);
  EXPECT_EQ(less.error().layer, "test");
  EXPECT_EQ(less.error().path, *this / "file");
  write_text(*this / "empty", "");
  auto empty = read_file(*this / "empty", 0, "test");
  ASSERT_TRUE(empty);
  EXPECT_EQ(*empty, "");
}

TEST_F(Files, OnlyRegularOnesOfThatVeryName) {
  write_text(*this / "file", "text");
  std::filesystem::create_symlink("file", *this / "link");
  ASSERT_EQ(::mkfifo((*this / "fifo").c_str(), 0600), 0);
  const auto code = [&](const char* name) {
    const auto text = read_file(*this / name, 100, "test");
    return text ? errc::ok : text.error().code;
  };
  EXPECT_EQ(code("file"), errc::ok);
  EXPECT_EQ(code("none"), errc::not_found);
  EXPECT_EQ(code("link"), errc::io);  // ELOOP
  EXPECT_EQ(code("fifo"), errc::invalid);
  EXPECT_EQ(code("."), errc::invalid);
}

TEST_F(Files, TheEndIsReadWithoutTheRest) {
  write_text(*this / "file", "0123456789");
  const auto end = [&](std::size_t limit) { return *read_file_end(*this / "file", limit, "test"); };
  EXPECT_EQ(end(3), "789");
  EXPECT_EQ(end(10), "0123456789");
  EXPECT_EQ(end(1000), "0123456789");
  EXPECT_EQ(end(0), "");
  EXPECT_EQ(read_file_end(*this / "none", 3, "test").error().code, errc::not_found);
  EXPECT_EQ(read_file_end(root_, 3, "test").error().code, errc::invalid);
}

TEST_F(Files, OfTheSystemAreReadThroughLinksAndAreEmptyWhenGone) {
  write_text(*this / "file", "text\n");
  std::filesystem::create_symlink("file", *this / "link");
  EXPECT_EQ(read_system_file(*this / "link"), "text\n");
  EXPECT_EQ(read_system_file(*this / "file", 2), "te");
  EXPECT_EQ(read_system_file(*this / "none"), "");
  // Says that its size is 0.
  EXPECT_EQ(read_system_file("/proc/self/stat").substr(0, std::to_string(::getpid()).size()),
            std::to_string(::getpid()));
}

TEST_F(Files, APidFileHoldsAPidOrNone) {
  const auto pid_in = [&](std::string_view text) {
    write_text(*this / "pid", text);
    return read_pid_file(*this / "pid");
  };
  EXPECT_EQ(pid_in("123"), 123);
  EXPECT_EQ(pid_in("123\n"), 123);
  for (const std::string_view text : {"", "\n", "-1", "0", "1 2", "abc", "99999999999"})
    EXPECT_EQ(pid_in(text), 0) << text;
  EXPECT_EQ(read_pid_file(*this / "none"), 0);
}

TEST_F(Files, AreReplacedWholeWithTheirModeWhateverTheUmask) {
  write_text(*this / "file.new", "left by a crash");
  const mode_t before = ::umask(0077);
  auto done = replace_file(*this / "file", "one", 0644, "test");
  ::umask(before);
  ASSERT_TRUE(done) << done.error().to_string();
  struct stat info {};
  ASSERT_EQ(::stat((*this / "file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644u);
  ASSERT_TRUE(replace_file(*this / "file", "two", 0600, "test"));
  EXPECT_EQ(read_system_file(*this / "file"), "two");
  EXPECT_FALSE(std::filesystem::exists(*this / "file.new"));

  std::filesystem::create_directory(*this / "directory");
  auto failed = replace_file(*this / "directory", "text", 0600, "test");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().layer, "test");
  EXPECT_FALSE(std::filesystem::exists(*this / "directory.new"));
}

TEST_F(Files, WhatIsWrittenGoesThroughANonBlockingPipeWhole) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const unique_fd in(ends[0]);
  unique_fd out(ends[1]);
  const std::string text(1 << 20, 'x');
  std::thread writer([&] {
    EXPECT_EQ(write_all(out.get(), text), 0);
    out.reset();
  });
  ASSERT_EQ(::fcntl(in.get(), F_SETFL, 0), 0);  // the two ends have a mode each
  std::string got;
  EXPECT_EQ(read_all(in.get(), got, text.size()), 0);
  writer.join();
  EXPECT_EQ(got, text);
  EXPECT_EQ(write_all(in.get(), "x"), EBADF);
}

TEST_F(Files, MoreThanTheLimitIsTold) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const unique_fd in(ends[0]);
  unique_fd out(ends[1]);
  ASSERT_EQ(write_all(out.get(), "1234567890"), 0);
  std::string got = "kept ";
  EXPECT_EQ(read_all(in.get(), got, 9), EFBIG);
  EXPECT_EQ(got.substr(0, 14), "kept 123456789");
  EXPECT_EQ(read_all(out.get(), got, 9), EBADF);
}

TEST_F(Files, OfARootFileSystemAreReadInsideOfIt) {
  const std::string rootfs = *this / "rootfs";
  std::filesystem::create_directories(rootfs + "/etc");
  write_text(*this / "secret", "of the host\n");
  write_text(rootfs + "/etc/real", "inside\n");
  std::filesystem::create_symlink("/etc/real", rootfs + "/etc/absolute");  // as it is meant inside
  std::filesystem::create_symlink("../../secret", rootfs + "/etc/up");
  std::filesystem::create_symlink(*this / "secret", rootfs + "/etc/out");
  std::filesystem::create_symlink("loop", rootfs + "/etc/loop");
  ASSERT_EQ(::mkfifo((rootfs + "/etc/fifo").c_str(), 0600), 0);
  const unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, (rootfs + "/etc/socket").c_str(), sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);

  auto root = rooted::open(rootfs, "test");
  ASSERT_TRUE(root) << root.error().to_string();
  const auto text = [&](const char* path) {
    auto read = root->read(path, 100, "test");
    return read ? *read : read.error().to_string();
  };
  EXPECT_EQ(text("etc/real"), "inside\n");
  EXPECT_EQ(text("/etc/real"), "inside\n");
  EXPECT_EQ(text("etc/absolute"), "inside\n");
  EXPECT_EQ(text("../../etc/real"), "inside\n");
  for (const char* path : {"etc/up", "etc/out", "etc/loop", "etc/fifo", "etc/socket", "etc", "etc/none", "etc/real/x"})
    EXPECT_EQ(text(path), "") << path;
  auto large = root->read("etc/real", 3, "test");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, errc::too_big);
  EXPECT_TRUE(root->open_inside("etc/fifo", O_PATH));
  EXPECT_FALSE(root->open_inside("etc/out", O_PATH));
  auto none = rooted::open(*this / "none", "test");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::not_found);
}

}  // namespace
}  // namespace berth
