// SPDX-License-Identifier: Apache-2.0
#include "children.hpp"
#include "loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <optional>

namespace berth {
namespace {

using boost::asio::awaitable;
using namespace test;
namespace asio = boost::asio;

TEST(Process, ManyMayWaitAndAgainAfterTheEnd) {
  auto work = []() -> awaitable<int> {
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("read line; exit 4"), [] {
      stdio_options io;
      io.in = stdio_options::input::pipe;
      return io;
    }());
    int done = 0;
    for (int i = 0; i < 3; ++i) {
      asio::co_spawn(
          ex,
          [&]() -> awaitable<void> {
            auto r = co_await p->wait();
            if (r && r->code == 4) ++done;
          },
          asio::detached);
    }
    const auto soon = deadline_after(milliseconds(30));
    auto early = co_await p->wait(soon);
    EXPECT_FALSE(early);
    EXPECT_EQ(early.error().code, errc::timeout);
    EXPECT_FALSE(p->status());
    auto written = co_await p->write("go\n");
    EXPECT_TRUE(written);
    auto r = co_await p->wait();
    EXPECT_EQ(r->code, 4);
    const bool all = co_await eventually([&] { return done == 3; });
    EXPECT_TRUE(all);
    auto again = co_await p->wait();
    EXPECT_EQ(again->code, 4);
    EXPECT_EQ(p->status()->code, 4);
    co_return done;
  };
  EXPECT_EQ(run(work()), 3);
}

TEST(Process, WaitIsCancelledByItsSlotAndTheProcessGoesOn) {
  asio::io_context loop(1);
  auto p = process::start(loop.get_executor(), shell("exec sleep 1000"));
  ASSERT_TRUE(p);
  asio::cancellation_signal stop;
  std::optional<result<exit_status>> got;
  asio::co_spawn(loop, p->wait(),
                 asio::bind_cancellation_slot(stop.slot(),
                                              [&](std::exception_ptr, result<exit_status> r) { got = std::move(r); }));
  asio::post(loop, [&] { stop.emit(asio::cancellation_type::terminal); });
  while (!got) loop.run_one();
  EXPECT_EQ(got->error().code, errc::cancelled);
  EXPECT_TRUE(p->signal(0));
}

TEST(Process, AWaitEndsWhenTheObjectGoes) {
  asio::io_context loop(1);
  std::optional<process> p(std::move(*process::start(loop.get_executor(), shell("exec sleep 1000"))));
  std::optional<result<exit_status>> got;
  asio::co_spawn(loop, p->wait(), [&](std::exception_ptr, result<exit_status> r) { got = std::move(r); });
  asio::post(loop, [&] { p.reset(); });
  loop.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code, errc::closed);
}

TEST(Process, MovesAndAMovedFromOneSaysState) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    process a = std::move(*process::start(ex, shell("read x; exit 1"), [] {
      stdio_options io;
      io.in = stdio_options::input::pipe;
      return io;
    }()));
    process b = std::move(*process::start(ex, shell("exec sleep 1000")));
    const pid_t killed = b.pid();
    b = std::move(a);
    EXPECT_EQ(a.pid(), -1);  // NOLINT(bugprone-use-after-move)
    auto none = co_await a.wait();
    EXPECT_EQ(none.error().code, errc::state);
    b.close_stdin();
    auto r = co_await b.wait();
    EXPECT_EQ(r->code, 1);
    const bool gone = co_await eventually([&] { return process_state(killed).empty(); });
    EXPECT_TRUE(gone);
    co_return true;
  };
  run(work());
}

TEST(Process, FiveHundredLeaveNoZombieAndNoDescriptor) {
  asio::io_context loop(1);
  auto once = []() -> awaitable<bool> {
    for (int i = 0; i < 500; ++i) {
      spawn_options o;
      o.argv = {"/bin/true"};
      auto r = co_await run_process(std::move(o));
      EXPECT_TRUE(r && r->status.success());
    }
    co_return true;
  };
  test::run_on(loop, once());
  const auto before = test::open_descriptors();
  test::run_on(loop, once());
  EXPECT_EQ(test::open_descriptors(), before);
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  std::string list;
  std::getline(children, list);
  EXPECT_EQ(list, "");
}

TEST(Process, OutOfDescriptorsIsACleanErrorAtEveryStep) {
  asio::io_context loop(1);
  auto warm = process::start(loop.get_executor(), shell("true"));  // the loop makes its own descriptors on first use
  ASSERT_TRUE(warm);
  loop.run();
  warm->detach();
  const auto before = test::open_descriptors();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  stdio_options io;
  io.in = stdio_options::input::pipe;
  int failures = 0;
  int successes = 0;
  for (std::size_t free = 0; free < 9; ++free) {  // six pipe ends and a pidfd
    const rlimit low{before + 16, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    std::vector<unique_fd> taken;
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
      taken.emplace_back(fd);
    }
    for (std::size_t i = 0; i < free; ++i) taken.pop_back();
    {
      auto p = process::start(loop.get_executor(), shell("true"), io);
      ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
      if (p) {
        ++successes;
      } else {
        ++failures;
        EXPECT_EQ(p.error().code, errc::spawn_failed);
        EXPECT_EQ(p.error().sys_errno, EMFILE);
        EXPECT_FALSE(p.error().hint.empty());
      }
    }
    taken.clear();
    loop.restart();
    loop.run();
    EXPECT_EQ(test::open_descriptors(), before) << free;
  }
  EXPECT_EQ(failures, 7);
  EXPECT_EQ(successes, 2);
}

}  // namespace
}  // namespace berth
