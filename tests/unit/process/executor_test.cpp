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

TEST(MergeEnvironment, ReplacesInPlaceAndAppends) {
  EXPECT_EQ(merge_environment({"A=1", "AB=2"}, {"A=3", "C=4", "C=5"}),
            (std::vector<std::string>{"A=3", "AB=2", "C=5"}));
}

}  // namespace
}  // namespace berth
