// SPDX-License-Identifier: Apache-2.0
// The watch of a root directory, over records that stand for sandboxes and a process that stands for one's own.
#include "../process/children.hpp"

#include <berth/sandbox/process_identity.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/sandbox/root_watch.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace berth::test {
namespace {

namespace fs = std::filesystem;

const std::string token = "tokenofthetes";

class RootWatch : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/berth-watch-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    sandbox_ = ::fork();
    ASSERT_GE(sandbox_, 0);
    if (sandbox_ == 0) {
      ::execl("/bin/sleep", ("sandbox-" + token).c_str(), "1000", nullptr);
      ::_exit(127);
    }
  }
  void TearDown() override {
    ::kill(sandbox_, SIGKILL);
    ::waitpid(sandbox_, nullptr, 0);
    fs::remove_all(root_);  // with the last record the watch ends
  }

  sandbox_record record(const std::string& id) {
    sandbox_record out;
    out.id = id;
    out.directory = root_ + "/" + id;
    out.token = token;
    out.phase = record_phase::running;
    out.boot_id = read_boot_id();
    out.watched = true;
    out.sandbox_process = process_identity::of(sandbox_);
    out.rootfs = "/";
    out.hostname = id;
    return out;
  }
  /// With its record from the first moment, as sandboxes appear.
  void appear(sandbox_record of) {
    const std::string id = of.id, made = root_ + "/.new-" + id;
    fs::create_directory(made);
    std::ofstream(made + "/sandbox.pid") << sandbox_ << "\n";
    of.directory = made;
    ASSERT_TRUE(write_record(of));
    fs::rename(made, root_ + "/" + id);
  }
  void start_watch() {
    const int lock = ::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(lock, 0);
    ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
    const pid_t starter = ::fork();
    ASSERT_GE(starter, 0);
    if (starter == 0) {
      if (lock == root_watch_fd) ::fcntl(lock, F_SETFD, 0);
      else ::dup2(lock, root_watch_fd);
      ::execl(BERTH_GUEST_PROGRAM, "berth-init", "watch", root_.c_str(), "", nullptr);
      ::_exit(127);
    }
    ::close(lock);
    int status = 0;
    ASSERT_EQ(::waitpid(starter, &status, 0), starter);
    ASSERT_EQ(status, 0);
  }
  bool sandbox_lives() { return ::waitpid(sandbox_, nullptr, WNOHANG) == 0; }

  std::string root_;
  pid_t sandbox_ = -1;
};

// The watch may have read the record before that, and look whether the creator is there after.
TEST_F(RootWatch, LeavesAloneWhatWasHandedOverJustBeforeItsCreatorEnded) {
  // It reads all of them before it acts.
  for (int i = 0; i < 300; ++i) {
    sandbox_record kept = record("kept" + std::to_string(i));
    kept.owner = process_identity::of(::getpid());
    appear(kept);
  }
  start_watch();
  for (int i = 0; i < 200; ++i) {
    const std::string id = "box" + std::to_string(i);
    const pid_t creator = ::fork();
    ASSERT_GE(creator, 0);
    if (creator == 0) {
      sandbox_record mine = record(id);
      mine.creator = process_identity::of(::getpid());
      mine.ends_with_creator = true;
      appear(mine);
      ::usleep(static_cast<useconds_t>(i % 30) * 100);
      mine.ends_with_creator = false;
      ::_exit(write_record(mine) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(creator, &status, 0), creator);
    ASSERT_EQ(status, 0);
    ::usleep(2000);
    ASSERT_TRUE(sandbox_lives()) << "after " << i;
    fs::remove_all(root_ + "/" + id);
  }
}

TEST_F(RootWatch, EndsWhatItsCreatorLeft) {
  const pid_t creator = ::fork();
  ASSERT_GE(creator, 0);
  if (creator == 0) {
    ::pause();
    ::_exit(0);
  }
  sandbox_record mine = record("box");
  mine.creator = process_identity::of(creator);
  mine.ends_with_creator = true;
  appear(mine);
  start_watch();
  EXPECT_TRUE(sandbox_lives());
  ::kill(creator, SIGKILL);
  ::waitpid(creator, nullptr, 0);
  EXPECT_TRUE(dies(sandbox_));
}

}  // namespace
}  // namespace berth::test
