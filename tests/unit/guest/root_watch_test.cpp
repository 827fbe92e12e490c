// SPDX-License-Identifier: Apache-2.0
// The watch of a root directory, over records that stand for sandboxes and a process that stands for one's own.
#include "../process/children.hpp"
#include "../process/loop.hpp"

#include <berth/guest/executor.hpp>
#include <berth/guest/protocol.hpp>
#include <berth/readiness/guarded_socket.hpp>
#include <berth/sandbox/process_identity.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/sandbox/root_watch.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

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
    // Not by fork(): the watch knows it by its words, which it has once it is that program.
    std::string words = "sandbox-" + token, patience = "1000";
    char* const argv[] = {words.data(), patience.data(), nullptr};
    ASSERT_EQ(::posix_spawn(&sandbox_, "/bin/sleep", nullptr, nullptr, argv, environ), 0);
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

// A guest of this host stands for a sandbox's process, and a runsc that stops it and lets it go on.
class RootWatchIdle : public RootWatch {
 protected:
  void TearDown() override {
    if (guest_ > 0) ::kill(guest_, SIGKILL);
    if (guest_ > 0) ::waitpid(guest_, nullptr, 0);
    RootWatch::TearDown();
  }
  std::string box() const { return root_ + "/box"; }
  sandbox_record idle_record() {
    for (const char* name : {"", "/shared", "/exec"}) fs::create_directory(box() + name);
    std::ofstream(root_ + "/runsc") << "#!/bin/sh\necho \"$2\" >>" << root_ << "/said\n"
                                    << "[ \"$2\" = pause ] && exec kill -STOP $(cat " << root_ << "/pid)\n"
                                    << "[ \"$2\" = resume ] && exec kill -CONT $(cat " << root_ << "/pid)\n";
    fs::permissions(root_ + "/runsc", fs::perms::owner_all);
    sandbox_record out = record("box");
    out.runsc = root_ + "/runsc";
    out.idle_timeout_ms = 1000;
    return out;
  }
  void start_guest() {
    guest_ = ::fork();
    ASSERT_GE(guest_, 0);
    const std::string socket = box() + "/shared/guest.sock";
    if (guest_ == 0) {
      ::execl(BERTH_GUEST_PROGRAM, "berth-init", "--socket", socket.c_str(), nullptr);
      ::_exit(127);
    }
    std::ofstream(root_ + "/pid") << guest_ << "\n";
    for (int i = 0; i < 6000 && !connect_guarded(socket); ++i) ::usleep(10000);
  }
  bool sleeps() const { return fs::exists(box() + "/paused") && is_stopped(process_identity::of(guest_)); }
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 6000; ++i, ::usleep(10000))
      if (condition()) return true;
    return false;
  }
  /// To a guest that runs, or will.
  result<command_result> execute() {
    guest_executor inside(box() + "/shared/guest.sock");
    inside.patience = seconds(60);
    command what;
    what.argv = {"true"};
    boost::asio::io_context loop{1};
    return run_on(loop, run_command(inside, std::move(what), {}, deadline_after(seconds(60))));
  }

  pid_t guest_ = -1;
};

TEST_F(RootWatchIdle, PutsToSleepWhatNobodyUsesAndWakesItForWhoComes) {
  sandbox_record idle = idle_record();
  start_guest();
  idle.sandbox_process = process_identity::of(guest_);
  ASSERT_TRUE(write_record(idle));
  start_watch();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(eventually([&] { return sleeps(); }));
    const auto done = execute();
    EXPECT_TRUE(done) << done.error().to_string();
  }
  // Somebody else wakes it, or has paused it.
  ASSERT_TRUE(eventually([&] { return sleeps(); }));
  fs::remove(box() + "/paused");
  ::kill(guest_, SIGCONT);
  EXPECT_TRUE(eventually([&] { return sleeps(); }));
}

TEST_F(RootWatchIdle, LeavesAloneWhatIsPausedAndWhatSpeaksByRunsc) {
  sandbox_record idle = idle_record();
  start_guest();
  idle.sandbox_process = process_identity::of(guest_);
  std::ofstream(box() + "/paused");
  ASSERT_TRUE(write_record(idle));
  start_watch();
  for (int i = 0; i < 30; ++i, ::usleep(50'000)) std::ofstream(box() + "/exec/" + std::to_string(i));
  fs::remove(box() + "/paused");
  for (int i = 0; i < 30; ++i, ::usleep(50'000)) fs::remove(box() + "/exec/" + std::to_string(i));
  EXPECT_FALSE(fs::exists(root_ + "/said"));
  EXPECT_TRUE(eventually([&] { return sleeps(); }));
}

TEST_F(RootWatchIdle, AGuestThatTalksNonsenseStaysAwake) {
  sandbox_record idle = idle_record();
  const unique_fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (box() + "/shared/guest.sock").c_str());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ASSERT_TRUE(write_record(idle));
  start_watch();
  std::string greeting, lie;
  std::vector<unique_fd> held;
  append_guest_frame(greeting, guest_frame_kind::greeting, encode(guest_hello{guest_protocol_version, "9"}));
  append_guest_frame(lie, guest_frame_kind::idle_for, "\xff\xff\xff\xff");
  for (const std::string& answer : {std::string(), std::string(4096, '\xff'), greeting + lie}) {
    const unique_fd& asked = held.emplace_back(::accept(listener.get(), nullptr, nullptr));
    ASSERT_TRUE(asked);
    (void)!::send(asked.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    char heard[256];
    while (::recv(asked.get(), heard, sizeof heard, 0) > 0) {
    }
  }
  const unique_fd again(::accept(listener.get(), nullptr, nullptr));  // nobody was held up by any of them
  EXPECT_TRUE(again);
  EXPECT_FALSE(fs::exists(root_ + "/said"));
  EXPECT_FALSE(fs::exists(box() + "/paused"));
}

}  // namespace
}  // namespace berth::test
