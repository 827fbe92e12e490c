// SPDX-License-Identifier: Apache-2.0
// Commands through a guest that serves in a real sandbox, and not by `runsc exec`.
#include "support/sandbox_fixture.hpp"

#include <berth/guest/executor.hpp>
#include <berth/readiness/guarded_socket.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

namespace {

using namespace berth;

class Guest : public berth_test::sandbox_test {
 protected:
  void SetUp() override {
    sandbox_test::SetUp();
    if (!ready_) return;
    box_ = create(config());
    ASSERT_TRUE(box_);
    guest_executor_ = std::make_unique<guest_executor>(box_->shared_path("guest.sock"));
    wait_until_heard();
  }
  void TearDown() override {
    if (box_) terminate(*box_);
    box_.reset();
    sandbox_test::TearDown();
  }

  void wait_until_heard() {
    for (int i = 0; i < 1000 && !connect_guarded(guest_executor_->socket_path()); ++i) ::usleep(10000);
  }

  result<command_result> by_guest(command what, stdio_options io = {}) {
    const time_point limit = deadline_after(seconds(60));
    auto work = run_command(*guest_executor_, std::move(what), std::move(io), limit);
    return loop_.run(std::move(work));
  }
  result<command_result> by_guest(std::vector<std::string> argv) {
    command what;
    what.argv = std::move(argv);
    return by_guest(std::move(what));
  }

  std::shared_ptr<sandbox> box_;
  std::unique_ptr<guest_executor> guest_executor_;
};

// As an embedder does whose sandbox has an init of its own: one exec starts it.
TEST_F(Guest, IsAnOrdinaryProcessAsWell) {
  command serve;
  serve.argv = {"/.berth/init", "--socket", std::string(sandbox::shared_inside) + "/second.sock"};
  stdio_options io;
  auto work = box_->start(std::move(serve), std::move(io));
  auto started = loop_.run(std::move(work));
  ASSERT_TRUE(started) << started.error().to_string();
  guest_executor_ = std::make_unique<guest_executor>(box_->shared_path("second.sock"));
  wait_until_heard();
  auto done = by_guest({"sh", "-c", "echo $PPID"});
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, std::to_string((*started)->pid()) + "\n");
}

TEST_F(Guest, RunsCommandsAsRunscDoes) {
  box_->use_runsc_exec(true);
  auto done = by_guest({"sh", "-c", "echo out; echo err >&2; exit 42"});
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, "out\n");
  EXPECT_EQ(done->err, "err\n");
  EXPECT_EQ(done->status, (exit_status{42, 0}));
  for (const auto& [program, code] : {std::pair<std::string, int>{"no-such-program", 127}, {"/etc/passwd", 126}}) {
    auto refused = by_guest({program});
    ASSERT_TRUE(refused) << refused.error().to_string();
    EXPECT_EQ(refused->status.code, code);
  }
  const std::string about =
      "id; env | grep -v ^_= | sort; pwd; umask; ulimit -n; grep -e Cap -e NoNewPrivs /proc/self/status";
  for (const char* user : {"", "1234:55", "nobody"}) {
    command what;
    what.argv = {"sh", "-c", about};
    what.env = {"MARK=1"};
    what.user = user;
    auto here = by_guest(what);
    auto there = exec(*box_, what);
    ASSERT_TRUE(here) << here.error().to_string();
    ASSERT_TRUE(there) << there.error().to_string();
    EXPECT_EQ(here->out, there->out) << user;
  }
}

TEST_F(Guest, SignalsAndEndsWhatItRuns) {
  auto killed = by_guest({"sh", "-c", "kill -KILL $$"});
  ASSERT_TRUE(killed) << killed.error().to_string();
  EXPECT_EQ(killed->status.shell_code(), 137);
  const std::string sleepers =
      "for p in /proc/[0-9]*; do read -r c < $p/comm && [ \"$c\" = sleep ] && echo $p; done 2>/dev/null; true";
  command sleeper;
  sleeper.argv = {"sh", "-c", "sleep 4711 & sleep 4711"};
  stdio_options io;
  {
    auto work = guest_executor_->start(std::move(sleeper), std::move(io));
    auto started = loop_.run(std::move(work));
    ASSERT_TRUE(started) << started.error().to_string();
    std::string there;
    for (int i = 0; i < 100 && there.empty(); ++i) there = shell(*box_, sleepers);
    EXPECT_NE(there, "");
  }  // given up
  std::string left = "?";
  for (int i = 0; i < 100 && !left.empty(); ++i) {
    loop_.run_for(std::chrono::milliseconds(50));
    left = shell(*box_, sleepers);
  }
  EXPECT_EQ(left, "");
}

TEST_F(Guest, LosesNothingOfALargeOutput) {
  command what;
  what.argv = {"sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' x; echo end"};
  std::size_t total = 0;
  stdio_options io;
  io.on_data = [&](output_stream, std::string_view data) { total += data.size(); };
  auto done = by_guest(std::move(what), std::move(io));
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(total, 30000004u);
}

// Each reads a line that it gets only when all of them run.
TEST_F(Guest, RunsAThousandCommandsAtOnce) {
  constexpr int many = 1000;
  struct rlimit files {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::max<rlim_t>(files.rlim_cur, 4096);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  std::vector<std::unique_ptr<running_command>> all;
  int failed = 0;
  const auto start_one = [&]() -> boost::asio::awaitable<void> {
    command what;
    what.argv = {"sh", "-c", "read line; echo $line; exit 3"};
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto work = guest_executor_->start(std::move(what), std::move(io));
    auto started = co_await std::move(work);
    if (started) all.push_back(std::move(*started));
    else ++failed;
  };
  for (int i = 0; i < many; ++i) boost::asio::co_spawn(loop_.context(), start_one, boost::asio::detached);
  for (int i = 0; i < 12000 && static_cast<int>(all.size()) + failed < many; ++i) loop_.run_for(milliseconds(10));
  ASSERT_EQ(failed, 0);
  ASSERT_EQ(static_cast<int>(all.size()), many);
  for (int i = 0; i < many; ++i) {
    const std::string line = std::to_string(i) + "\n";
    auto writing = all[i]->write(line);
    EXPECT_TRUE(loop_.run(std::move(writing)));
    all[i]->close_stdin();
  }
  for (int i = 0; i < many; ++i) {
    auto waiting = all[i]->wait(deadline_after(seconds(120)));
    auto ended = loop_.run(std::move(waiting));
    ASSERT_TRUE(ended) << i << ": " << ended.error().to_string();
    EXPECT_EQ(ended->code, 3);
    EXPECT_EQ(all[i]->output(output_stream::out), std::to_string(i) + "\n");
  }
}

TEST_F(Guest, GivesATerminal) {
  command what;
  what.argv = {"sh", "-c", "test -t 0 && stty size"};
  stdio_options io;
  auto work = guest_executor_->start_terminal(std::move(what), std::move(io), {33, 99});
  auto started = loop_.run(std::move(work));
  ASSERT_TRUE(started) << started.error().to_string();
  auto waiting = (*started)->wait();
  auto ended = loop_.run(std::move(waiting));
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_EQ((*started)->output(output_stream::out), "33 99\r\n");
}

// The shared directory is the sandbox's: whatever stands there in the guest's place is taken for hostile, and the sandbox's
// commands go by runsc exec.
TEST_F(Guest, AnotherInItsPlaceIsNotBelieved) {
  const std::string place = std::string(sandbox::shared_inside) + "/guest.sock";
  EXPECT_EQ(shell(*box_, "rm -f " + place + "; ln -s /var/run/docker.sock " + place + "; echo ok"), "ok");
  auto done = by_guest({"true"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::hostile);
  EXPECT_EQ(shell(*box_, "rm -f " + place + "; echo by runsc"), "by runsc");
  EXPECT_EQ(shell(*box_, "echo without it; mkdir " + place), "without it");
  EXPECT_EQ(shell(*box_, "echo a directory; rmdir " + place), "a directory");
  // One that listens and says nothing, and one that talks nonsense. Neither was told of a command.
  const std::string serve =
      "perl -MSocket -e 'socket($s, AF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un($ARGV[0])) or die; listen($s, 9); "
      "open(O, \">/tmp/listens\"); while (accept(my $c, $s)) { syswrite($c, $ARGV[1]); push @all, $c }' " +
      place;
  for (const char* words : {"", "0123456789abcdef"}) {
    command other;
    other.argv = {"sh", "-c", "rm -f /tmp/listens " + place + "; " + serve + " '" + words + "'"};
    stdio_options io;
    box_->use_runsc_exec(true);
    auto work = box_->start(std::move(other), std::move(io));
    auto started = loop_.run(std::move(work));
    ASSERT_TRUE(started) << started.error().to_string();
    std::string there;
    for (int i = 0; i < 200 && there.empty(); ++i) there = shell(*box_, "if [ -e /tmp/listens ]; then echo yes; fi");
    ASSERT_EQ(there, "yes") << (*started)->output(output_stream::err);
    box_->use_runsc_exec(false);
    EXPECT_EQ(shell(*box_, "echo by runsc"), "by runsc");
  }
}

TEST_F(Guest, ALostSandboxIsTold) {
  command what;
  what.argv = {"sleep", "1000"};
  stdio_options io;
  auto work = guest_executor_->start(std::move(what), std::move(io));
  auto started = loop_.run(std::move(work));
  ASSERT_TRUE(started) << started.error().to_string();
  terminate(*box_);
  auto waiting = (*started)->wait();
  auto ended = loop_.run(std::move(waiting));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, errc::sandbox_not_running);
}

}  // namespace
