// SPDX-License-Identifier: Apache-2.0
// Commands through a real guest, which runs here as an ordinary process.
#include "../process/children.hpp"
#include "guest_process.hpp"

#include <berth/guest/executor.hpp>

#include <boost/asio/detached.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

namespace berth {
namespace {

using boost::asio::awaitable;
using namespace test;
namespace asio = boost::asio;

command shell_command(std::string script) {
  command what;
  what.argv = {"sh", "-c", std::move(script)};
  return what;
}

TEST_F(GuestTest, RunsACommandWithItsStreamsApart) {
  auto work = [this]() -> awaitable<result<command_result>> {
    stdio_options io;
    io.in = stdio_options::input::text;
    io.in_text = "line\n";
    auto what = shell_command("read x; echo out $x $V; echo err >&2; pwd; exit 5");
    what.env = {"V=1"};
    what.cwd = "/tmp";
    co_return co_await run_command(executor(), std::move(what), std::move(io));
  };
  auto done = run(work());
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->status.code, 5);
  EXPECT_EQ(done->out, "out line 1\n/tmp\n");
  EXPECT_EQ(done->err, "err\n");
}

TEST_F(GuestTest, TellsWhatCannotBeStartedAsAShellDoes) {
  struct row {
    std::vector<std::string> argv;
    std::string cwd;
    int code;
  };
  for (const row& r :
       {row{{"no-such-program"}, "", 127}, row{{"/etc"}, "", 126}, row{{"true"}, "/no/such/directory", 126}}) {
    auto work = [&]() -> awaitable<result<command_result>> {
      command what;
      what.argv = r.argv;
      what.cwd = r.cwd;
      co_return co_await run_command(executor(), std::move(what));
    };
    auto done = run(work());
    ASSERT_TRUE(done) << done.error().to_string();
    EXPECT_EQ(done->status.code, r.code) << r.argv.front();
    EXPECT_NE(done->err, "");
  }
}

TEST_F(GuestTest, RefusesAnUnknownUserInWords) {
  auto work = [this]() -> awaitable<result<command_result>> {
    auto what = shell_command("id");
    what.user = "nobody-of-that-name";
    co_return co_await run_command(executor(), std::move(what));
  };
  auto done = run(work());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::not_found);
}

TEST_F(GuestTest, PassesSignalsAndTellsOfThem) {
  auto work = [this]() -> awaitable<std::vector<exit_status>> {
    std::vector<exit_status> ends;
    for (const int signo : {SIGTERM, SIGKILL, SIGUSR1}) {
      auto what = shell_command("sleep 60 & wait");
      stdio_options io;
      auto started = co_await executor().start(std::move(what), std::move(io));
      EXPECT_TRUE(started);
      EXPECT_GT((*started)->pid(), 0);
      auto sent = co_await (*started)->signal(signo);
      EXPECT_TRUE(sent);
      auto ended = co_await (*started)->wait();
      EXPECT_TRUE(ended);
      if (ended) ends.push_back(*ended);
      auto late = co_await (*started)->signal(signo);
      EXPECT_FALSE(late);
    }
    co_return ends;
  };
  const auto ends = run(work());
  EXPECT_EQ(ends, (std::vector<exit_status>{{0, SIGTERM}, {0, SIGKILL}, {0, SIGUSR1}}));
}

TEST_F(GuestTest, EndsACommandThatIsGivenUpWithItsChildren) {
  const std::string mark = directory() + "/pids";
  auto work = [&]() -> awaitable<int> {
    auto what = shell_command("sleep 61 & echo $! $$ > " + mark + "; wait");
    stdio_options io;
    {
      auto started = co_await executor().start(std::move(what), std::move(io));
      EXPECT_TRUE(started);
      const bool written = co_await eventually([&] { return !slurp(mark).empty(); });
      EXPECT_TRUE(written);
    }
    long child = 0, leader = 0;
    std::ifstream(mark) >> child >> leader;
    EXPECT_GT(child, 0);
    const bool gone = co_await eventually([&] {
      return ::access(("/proc/" + std::to_string(child)).c_str(), F_OK) != 0 &&
             ::access(("/proc/" + std::to_string(leader)).c_str(), F_OK) != 0;
    });
    EXPECT_TRUE(gone);
    co_return 0;
  };
  run(work());
}

TEST_F(GuestTest, CarriesMoreThanAWindowBothWays) {
  const std::size_t size = 5 * guest_stream_window + 12345;
  auto work = [&]() -> awaitable<result<command_result>> {
    stdio_options io;
    io.in = stdio_options::input::text;
    for (std::size_t i = 0; io.in_text.size() < size; ++i) io.in_text += std::to_string(i) + "\n";
    io.in_text.resize(size);
    io.capture_limit = 2 * size;
    co_return co_await run_command(executor(), shell_command("tee /dev/stderr"), std::move(io));
  };
  auto done = run(work());
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out.size(), size);
  EXPECT_EQ(done->out, done->err);
}

TEST_F(GuestTest, HoldsACommandThatNobodyReads) {
  auto work = [&]() -> awaitable<int> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    unique_fd read_end(ends[0]), write_end(ends[1]);
    stdio_options io;
    io.out = stdio_options::output::fd;
    io.out_fd = write_end.get();
    auto started = co_await executor().start(shell_command("head -c 5000000 /dev/zero; echo done >&2"), std::move(io));
    EXPECT_TRUE(started);
    write_end.reset();
    const time_point soon = deadline_after(milliseconds(300));
    auto early = co_await (*started)->wait(soon);
    EXPECT_FALSE(early);
    EXPECT_EQ((*started)->output(output_stream::err), "");  // it waits for its reader
    std::size_t total = 0;
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    const bool all = co_await eventually([&] {
      std::vector<char> buffer(1 << 20);
      for (ssize_t n; (n = ::read(read_end.get(), buffer.data(), buffer.size())) > 0;)
        total += static_cast<std::size_t>(n);
      return total == 5000000;
    });
    EXPECT_TRUE(all) << total;
    auto ended = co_await (*started)->wait();
    EXPECT_TRUE(ended && ended->success());
    EXPECT_EQ((*started)->output(output_stream::err), "done\n");
    co_return 0;
  };
  run(work());
}

TEST_F(GuestTest, AReaderThatGoesAwayEndsTheWriter) {
  auto work = [&]() -> awaitable<result<exit_status>> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    stdio_options io;
    io.out = stdio_options::output::fd;
    io.out_fd = ends[1];
    command yes;
    yes.argv = {"yes"};
    auto started = co_await executor().start(std::move(yes), std::move(io));
    ::close(ends[0]);
    ::close(ends[1]);
    if (!started) co_return std::move(started).error();
    const time_point limit = deadline_after(seconds(20));
    co_return co_await (*started)->wait(limit);
  };
  auto ended = run(work());
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_EQ(ended->signal, SIGPIPE);
}

TEST_F(GuestTest, TellsAWriterThatItsReaderIsGone) {
  auto work = [&]() -> awaitable<result<void>> {
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto started = co_await executor().start(shell_command("exec <&-; sleep 60"), std::move(io));
    EXPECT_TRUE(started);
    const std::string data(3 * guest_stream_window, 'x');
    co_return co_await (*started)->write(data);
  };
  auto written = run(work());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::closed);
}

TEST_F(GuestTest, GivesATerminal) {
  auto work = [&]() -> awaitable<std::string> {
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto started = co_await executor().start_terminal(
        shell_command(
            "tty >/dev/null && stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done"),
        std::move(io), guest_terminal_size{31, 101});
    EXPECT_TRUE(started);
    guest_command& running = **started;
    const bool ready =
        co_await eventually([&] { return running.output(output_stream::out).find("ready") != std::string::npos; });
    EXPECT_TRUE(ready);
    running.resize({44, 55});
    auto ended = co_await running.wait();
    EXPECT_TRUE(ended && ended->code == 3);
    co_return running.output(output_stream::out);
  };
  EXPECT_EQ(run(work()), "31 101\r\nready\r\n44 55\r\n");
}

TEST_F(GuestTest, AControlCharacterOfATerminalIsASignal) {
  auto work = [&]() -> awaitable<result<exit_status>> {
    stdio_options io;
    io.in = stdio_options::input::pipe;
    auto started = co_await executor().start_terminal(shell_command("echo ready; sleep 60"), std::move(io), {});
    EXPECT_TRUE(started);
    guest_command& running = **started;
    const bool ready =
        co_await eventually([&] { return running.output(output_stream::out).find("ready") != std::string::npos; });
    EXPECT_TRUE(ready);
    auto written = co_await running.write("\x03");
    EXPECT_TRUE(written);
    co_return co_await running.wait();
  };
  auto ended = run(work());
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->shell_code(), 128 + SIGINT);
}

TEST_F(GuestTest, AGuestThatEndsTakesItsCommandsAlong) {
  auto work = [&]() -> awaitable<result<exit_status>> {
    stdio_options io;
    auto started = co_await executor().start(shell_command("sleep 60"), std::move(io));
    EXPECT_TRUE(started);
    stop_guest();
    co_return co_await (*started)->wait();
  };
  auto ended = run(work());
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, errc::sandbox_not_running);
}

TEST_F(GuestTest, NobodyThereIsToldAtOnce) {
  stop_guest();
  auto work = [&]() -> awaitable<result<command_result>> {
    co_return co_await run_command(executor(), shell_command("true"));
  };
  auto done = run(work());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::not_found);
}

TEST_F(GuestTest, ManyAtOnce) {
  auto work = [&]() -> awaitable<int> {
    auto loop = co_await asio::this_coro::executor;
    int good = 0, ended = 0;
    for (int i = 0; i < 300; ++i) {
      asio::co_spawn(
          loop,
          [&, i]() -> awaitable<void> {
            command what = shell_command("echo " + std::to_string(i));
            stdio_options io;
            auto done = co_await run_command(executor(), std::move(what), std::move(io));
            if (done && done->out == std::to_string(i) + "\n") ++good;
            ++ended;
          },
          asio::detached);
    }
    const bool all = co_await eventually([&] { return ended == 300; });
    EXPECT_TRUE(all);
    co_return good;
  };
  EXPECT_EQ(run(work()), 300);
}

}  // namespace
}  // namespace berth
