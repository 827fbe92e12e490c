// SPDX-License-Identifier: Apache-2.0
#include "children.hpp"
#include "loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>

namespace berth {
namespace {

using boost::asio::awaitable;
using namespace test;
namespace asio = boost::asio;

TEST(Process, LinesComeAsTheyAreWrittenAndTheUnfinishedOneAtTheEnd) {
  std::vector<std::string> lines;
  std::string data;
  stdio_options io;
  io.on_line = [&](output_stream s, std::string_view l) {
    lines.push_back((s == output_stream::out ? "out:" : "err:") + std::string(l));
  };
  io.on_data = [&](output_stream s, std::string_view d) {
    if (s == output_stream::out) data += d;
  };
  auto r = run(run_process(shell("echo one; echo; printf 'no newline'; echo bad >&2"), io));
  ASSERT_TRUE(r);
  EXPECT_EQ(data, "one\n\nno newline");
  lines.erase(std::find(lines.begin(), lines.end(), "err:bad"));
  EXPECT_EQ(lines, (std::vector<std::string>{"out:one", "out:", "out:no newline"}));
}

TEST(Process, KeepsTheLastBytesAndCountsTheDropped) {
  auto work = []() -> awaitable<bool> {
    stdio_options io;
    io.capture_limit = 10;
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("seq 1 100000"), io);
    auto r = co_await p->wait();
    EXPECT_TRUE(r && r->success());
    EXPECT_EQ(p->output(output_stream::out), "999\n100000\n" + std::string("999\n100000\n").size() - 10);
    EXPECT_EQ(p->dropped(output_stream::out), 588895U - 10U);
    EXPECT_EQ(p->output(output_stream::err), "");
    co_return true;
  };
  run(work());
}

TEST(Process, AGrandchildThatHoldsThePipeDelaysTheEndByAtMostASecond) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    auto p = process::start(ex, shell("echo before; sleep 1000 & exit 5"));
    auto r = co_await p->wait();  // would hang for 1000 s
    EXPECT_EQ(r->code, 5);
    EXPECT_EQ(p->output(output_stream::out), "before\n");
    EXPECT_TRUE(p->signal_group(SIGKILL));
    co_return true;
  };
  run(work());
}

TEST(Process, AHandlerMayDestroyItsProcess) {
  for (const bool by_line : {true, false}) {
    asio::io_context loop(1);
    std::optional<process> p;
    int calls = 0;
    stdio_options io;
    auto destroy = [&](output_stream, std::string_view) {
      ++calls;
      p.reset();
    };
    if (by_line) io.on_line = destroy;
    else io.on_data = destroy;
    p.emplace(std::move(*process::start(loop.get_executor(), shell("printf 'a\\nb\\nc'; exec sleep 1000"), io)));
    loop.run();
    EXPECT_EQ(calls, 1);
  }
}

TEST(Process, WriteTakesAnySizeAndSaysClosedWhenNobodyReads) {
  auto work = []() -> awaitable<bool> {
    auto ex = co_await asio::this_coro::executor;
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto p = process::start(ex, shell("wc -c"), io);
    const std::string big(3 << 20, 'x');
    auto w = co_await p->write(big);
    EXPECT_TRUE(w);
    p->close_stdin();
    auto r = co_await p->wait();
    EXPECT_TRUE(r->success());
    EXPECT_EQ(p->output(output_stream::out), std::to_string(big.size()) + "\n");
    auto late = co_await p->write("x");
    EXPECT_EQ(late.error().code, errc::closed);

    auto deaf = process::start(ex, shell("exec <&-; echo closed; sleep 1000"), io);
    auto refused = co_await deaf->write(big);
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::closed);
    co_return true;
  };
  run(work());
}

TEST(Process, AStandardStreamNamedTwiceIsRefused) {
  asio::io_context loop(1);
  auto o = shell("true");
  o.fds = {{1, 1}};
  auto p = process::start(loop.get_executor(), o);
  ASSERT_FALSE(p);
  EXPECT_EQ(p.error().code, errc::invalid);
}

TEST(Process, OutputToADescriptorOfOurs) {
  test::scratch_directory dir;
  std::FILE* file = std::fopen((dir / "out").c_str(), "w+e");
  ASSERT_NE(file, nullptr);
  stdio_options io;
  io.out = stdio_options::output::fd;
  io.out_fd = ::fileno(file);
  auto r = run(run_process(shell("echo hello"), io));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->out, "");
  char text[16] = {};
  std::rewind(file);
  EXPECT_EQ(std::fread(text, 1, sizeof text, file), 6U);
  std::fclose(file);
  EXPECT_STREQ(text, "hello\n");
}

}  // namespace
}  // namespace berth
