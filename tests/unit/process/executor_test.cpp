// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <berth/process/executor.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <csignal>

namespace berth {
namespace {

using boost::asio::awaitable;
using test::run;

TEST(HostExecutor, AddsToTheSmallestEnvironment) {
  host_executor host;
  command what;
  what.argv = {"env"};
  what.env = {"HOME=/elsewhere", "EXTRA=1"};
  what.cwd = "/tmp";
  auto r = run(run_command(host, what));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(
      r->out,
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOME=/elsewhere\nLANG=C.UTF-8\nEXTRA=1\n");
}

TEST(HostExecutor, HasNoOtherUsers) {
  host_executor host;
  command what;
  what.argv = {"true"};
  what.user = "nobody";
  auto r = run(run_command(host, what));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::unsupported);
}

TEST(RunCommand, KillsPastTheDeadlineAndTellsWhatWasSaid) {
  host_executor host;
  command what;
  what.argv = {"sh", "-c", "echo $$; exec sleep 1000"};
  auto r = run(run_command(host, what, {}, deadline_after(milliseconds(300))));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::timeout);
  ASSERT_FALSE(r.error().detail.empty());
  EXPECT_NE(::kill(std::stoi(r.error().detail), 0), 0);
}

TEST(RunCommand, AProgramThatIsNotThereIsNamed) {
  host_executor host;
  command what;
  what.argv = {"berth-no-such-program"};
  auto r = run(run_command(host, what));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::not_found);
  EXPECT_EQ(r.error().path, "berth-no-such-program");
}

TEST(RunningCommand, IsWrittenToSignalledAndAwaited) {
  host_executor host;
  auto work = [&]() -> awaitable<bool> {
    command what;
    what.argv = {"cat"};
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto c = co_await host.start(what, io);
    EXPECT_TRUE(c);
    running_command& cat = **c;
    EXPECT_GT(cat.pid(), 0);
    EXPECT_FALSE(cat.status());
    auto w = co_await cat.write("hello");
    EXPECT_TRUE(w);
    cat.close_stdin();
    auto r = co_await cat.wait();
    EXPECT_TRUE(r && r->success());
    EXPECT_EQ(cat.output(output_stream::out), "hello");
    auto late = co_await cat.signal(SIGTERM);
    EXPECT_EQ(late.error().code, errc::state);
    co_return true;
  };
  run(work());
}

// A command in a sandbox: it takes a moment to be signalled, and another to end.
struct slow_ending {
  bool killed = false;
  bool seen_to_end = false;
};

class slow_command final : public running_command {
 public:
  explicit slow_command(slow_ending& told) : told_(told) {}
  awaitable<result<exit_status>> wait(time_point) override {
    for (int looks = 0; looks < 3 || !told_.killed; ++looks) {
      auto pausing = pause_for(milliseconds(5));
      const bool waited = co_await std::move(pausing);
      if (!waited) co_return make_error(errc::cancelled, "test", "cancelled");
    }
    told_.seen_to_end = true;
    co_return exit_status{0, SIGKILL};
  }
  awaitable<result<void>> signal(int) override {
    auto pausing = pause_for(milliseconds(5));
    told_.killed = co_await std::move(pausing);
    co_return result<void>();
  }
  awaitable<result<void>> write(std::string_view) override { co_return result<void>(); }
  void close_stdin() override {}
  std::string output(output_stream) const override { return {}; }
  std::optional<exit_status> status() const override { return std::nullopt; }
  pid_t pid() const override { return 1; }

 private:
  slow_ending& told_;
};

class slow_executor final : public executor {
 public:
  explicit slow_executor(slow_ending& told) : told_(told) {}
  awaitable<result<std::unique_ptr<running_command>>> start(command, stdio_options) override {
    co_return std::unique_ptr<running_command>(std::make_unique<slow_command>(told_));
  }

 private:
  slow_ending& told_;
};

TEST(RunCommand, WhatIsCancelledIsSeenToEnd) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  slow_ending told;
  slow_executor where(told);
  std::optional<errc> code;
  boost::asio::co_spawn(
      loop, cancellation_as_error(run_command(where, command{})),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<command_result> r) {
        if (!e) code = r ? errc::ok : r.error().code;
      }));
  boost::asio::post(loop, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  loop.run_for(std::chrono::seconds(20));
  EXPECT_EQ(code, errc::cancelled);
  EXPECT_TRUE(told.killed);
  EXPECT_TRUE(told.seen_to_end);
}

TEST(MergeEnvironment, ReplacesInPlaceAndAppends) {
  EXPECT_EQ(merge_environment({"A=1", "AB=2"}, {"A=3", "C=4", "C=5"}),
            (std::vector<std::string>{"A=3", "AB=2", "C=5"}));
}

}  // namespace
}  // namespace berth
