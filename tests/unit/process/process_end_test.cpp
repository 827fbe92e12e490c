// SPDX-License-Identifier: Apache-2.0
#include "children.hpp"
#include "loop.hpp"

#include <berth/process/pidfd.hpp>

#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstddef>

namespace berth {
namespace {

using boost::asio::awaitable;
using namespace test;
namespace asio = boost::asio;

TEST(Process, SignalReachesItAndIsRefusedAfterTheEnd) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("exec sleep 1000"));
    EXPECT_TRUE(p->signal(SIGTERM));
    auto r = co_await p->wait();
    EXPECT_EQ(*r, (exit_status{0, SIGTERM}));
    auto late = p->signal(SIGTERM);
    EXPECT_FALSE(late);
    EXPECT_EQ(late.error().code, errc::state);
    auto group = p->signal_group(SIGKILL);
    EXPECT_FALSE(group);
    EXPECT_EQ(group.error().code, errc::state);
    co_return true;
  };
  run(work());
}

TEST(Process, TheGroupIsReachedAfterItsLeaderHasEnded) {
  auto work = []() -> awaitable<bool> {
    stdio_options io;
    pid_t member = 0;
    io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
    io.err = stdio_options::output::null;
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("sleep 1000 >/dev/null & echo $!"), io);
    auto r = co_await p->wait();
    EXPECT_TRUE(r && r->success());
    EXPECT_GT(member, 0);
    EXPECT_TRUE(lives(member)) << process_state(member);
    EXPECT_TRUE(p->signal_group(SIGKILL));
    EXPECT_TRUE(dies(member));
    co_return true;
  };
  run(work());
}

// Makes pidfd_send_signal answer flags as a kernel before 6.9 does.
bool take_away_group_signals() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[3])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof code / sizeof *code, code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

awaitable<int> group_of_an_ended_leader() {
  stdio_options io;
  pid_t member = 0;
  io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
  auto ex = co_await asio::this_coro::executor;
  auto p = process::start(ex, shell("sleep 1000 >/dev/null 2>&1 & echo $!"), io);
  auto r = co_await p->wait();
  if (!r || !r->success() || member == 0) co_return 10;
  const pid_t leader = p->pid();
  if (process_state(leader) != "Z") co_return 11;
  if (signal_pidfd_group(open_pidfd(member)->get(), 0)) co_return 12;  // the filter is at work
  if (!lives(member)) co_return 13;
  if (!p->signal_group(SIGKILL)) co_return 14;
  if (!dies(member)) co_return 15;
  auto stopped = co_await p->stop(seconds(60));
  if (!stopped || !stopped->success()) co_return 16;
  { process gone(std::move(*p)); }
  if (!process_state(leader).empty()) co_return 17;
  co_return 0;
}

TEST(Process, BeforeLinux69AnEndedLeaderStaysAZombieSoThatItsGroupCanBeReached) {
  EXPECT_EXIT(
      {
        if (!take_away_group_signals()) ::_exit(9);
        ::_exit(run(group_of_an_ended_leader()));
      },
      testing::ExitedWithCode(0), "");
}

TEST(Process, StopAsksFirstAndKillsAfterTheGrace) {
  auto polite = []() -> awaitable<bool> {
    stdio_options io;
    bool up = false;
    io.on_line = [&](output_stream, std::string_view) { up = true; };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done"), io);
    const bool started = co_await eventually([&] { return up; });
    EXPECT_TRUE(started);
    auto r = co_await p->stop(seconds(60));
    EXPECT_EQ(*r, (exit_status{9, 0}));
    co_return true;
  };
  run(polite());
  auto deaf = []() -> awaitable<bool> {
    stdio_options io;
    bool up = false;
    io.on_line = [&](output_stream, std::string_view) { up = true; };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("trap '' TERM; echo up; sleep 1000"), io);
    const bool started = co_await eventually([&] { return up; });
    EXPECT_TRUE(started);
    auto r = co_await p->stop(milliseconds(50));
    EXPECT_EQ(*r, (exit_status{0, SIGKILL}));
    auto again = co_await p->stop(milliseconds(50));
    EXPECT_EQ(*again, (exit_status{0, SIGKILL}));
    co_return true;
  };
  run(deaf());
}

TEST(Process, StopReachesMembersThatOutliveTheLeader) {
  auto work = []() -> awaitable<bool> {
    pid_t member = 0;
    stdio_options io;
    io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("(trap '' TERM; exec sleep 1000) & echo $!; wait"), io);
    const bool started = co_await eventually([&] { return member != 0; });
    EXPECT_TRUE(started);
    auto r = co_await p->stop(seconds(60));
    EXPECT_EQ(*r, (exit_status{0, SIGTERM}));
    EXPECT_TRUE(dies(member));
    co_return true;
  };
  run(work());
}

TEST(Process, DestroyingOneThatRunsKillsItsGroupAndTheLoopReaps) {
  asio::io_context loop(1);
  pid_t leader = 0;
  pid_t member = 0;
  auto work = [&]() -> awaitable<bool> {
    stdio_options io;
    io.on_line = [&](output_stream, std::string_view line) { member = std::stoi(std::string(line)); };
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("sleep 1000 & echo $!; wait"), io);
    leader = p->pid();
    const bool started = co_await eventually([&] { return member != 0; });
    co_return started;
  };
  EXPECT_TRUE(test::run_on(loop, work()));
  loop.restart();
  loop.run();  // returns only when the child is reaped
  EXPECT_EQ(process_state(leader), "");
  EXPECT_TRUE(dies(member));
}

TEST(Process, DestroyingTheLoopFirstLeavesNoZombie) {
  pid_t pid = 0;
  {
    asio::io_context loop(1);
    auto p = process::start(loop.get_executor(), shell("sleep 1000"));
    ASSERT_TRUE(p);
    pid = p->pid();
  }
  EXPECT_EQ(process_state(pid), "");
}

TEST(Process, DetachedItRunsOn) {
  asio::io_context loop(1);
  stdio_options io;
  io.out = io.err = stdio_options::output::null;
  auto p = process::start(loop.get_executor(), shell("sleep 1000"), io);
  ASSERT_TRUE(p);
  const pid_t pid = p->pid();
  auto fd = open_pidfd(pid);
  ASSERT_TRUE(fd);
  p->detach();
  loop.run();  // nothing to wait for
  EXPECT_NE(process_state(pid), "");
  EXPECT_NE(process_state(pid), "Z");
  EXPECT_FALSE(p->signal(SIGTERM));
  ASSERT_TRUE(signal_pidfd(fd->get(), SIGKILL));
  while (true) {  // it is ours to reap
    auto ended = child_status(fd->get(), reap_mode::take);
    ASSERT_TRUE(ended);
    if (*ended) break;
    ::usleep(1000);
  }
  EXPECT_EQ(process_state(pid), "");
}

}  // namespace
}  // namespace berth
