// SPDX-License-Identifier: Apache-2.0
#include "../process/loop.hpp"

#include <berth/process/process.hpp>
#include <berth/readiness/notify.hpp>
#include <berth/readiness/poll.hpp>

#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace berth {
namespace {

using boost::asio::awaitable;
namespace asio = boost::asio;

// systemd-notify in the words of a few lines: what a daemon does.
spawn_options notifier(const notify_socket& socket, const std::string& script) {
  spawn_options o;
  o.argv = {"python3", "-c",
            "import os, socket, time\n"
            "def say(text):\n"
            "    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "    s.sendto(text, os.environ['NOTIFY_SOCKET'])\n" +
                script};
  o.env = minimal_environment();
  o.env.push_back(socket.environment());
  return o;
}

TEST(ParseNotify, TakesTheLinesThatMatter) {
  EXPECT_TRUE(parse_notify("STATUS=loading\nREADY=1\nMAINPID=7").ready);
  EXPECT_EQ(parse_notify("STATUS=loading\nREADY=1").status, "loading");
  EXPECT_FALSE(parse_notify("READY=10").ready);
  EXPECT_FALSE(parse_notify("XREADY=1").ready);
  EXPECT_FALSE(parse_notify("").ready);
  EXPECT_TRUE(parse_notify("STOPPING=1\n").stopping);
}

TEST(NotifySocket, HearsAProcessAndPollsEndAtOnce) {
  test::scratch_directory dir;
  asio::io_context loop(1);
  auto socket = notify_socket::bind(loop.get_executor(), dir / "notify");
  ASSERT_TRUE(socket) << socket.error().to_string();
  auto p = make_notify_probe(*socket);
  auto child =
      process::start(loop.get_executor(), notifier(*socket, "say(b'STATUS=up')\nsay(b'READY=1')\ntime.sleep(1000)"));
  ASSERT_TRUE(child);
  poll_options o;
  o.deadline = deadline_after(seconds(120));
  o.schedule.attempt_timeout = seconds(120);
  auto r = test::run_on(loop, poll_until_ready(*p, o));
  EXPECT_TRUE(r.ready()) << r.last.to_string();
  EXPECT_EQ(r.attempts, 1U);
  auto again = test::run_on(loop, socket->ready());
  EXPECT_TRUE(again);
}

TEST(NotifySocket, TimesOutWithTheLastStatus) {
  test::scratch_directory dir;
  asio::io_context loop(1);
  auto socket = notify_socket::bind(loop.get_executor(), dir / "notify");
  ASSERT_TRUE(socket);
  auto work = [&]() -> awaitable<result<void>> {
    auto options = notifier(*socket, "say(b'STATUS=loading images')");
    auto ran = co_await run_process(options);
    EXPECT_TRUE(ran && ran->status.success());
    const auto soon = deadline_after(milliseconds(200));
    auto r = co_await socket->ready(soon);
    co_return r;
  };
  auto r = test::run_on(loop, work());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::timeout);
  EXPECT_EQ(r.error().detail, "loading images");
}

TEST(NotifySocket, RefusesWhatIsTakenAndRemovesItsPath) {
  test::scratch_directory dir;
  asio::io_context loop(1);
  {
    auto socket = notify_socket::bind(loop.get_executor(), dir / "notify");
    ASSERT_TRUE(socket);
    auto second = notify_socket::bind(loop.get_executor(), dir / "notify");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, errc::exists);
    struct stat s {};
    EXPECT_EQ(::stat((dir / "notify").c_str(), &s), 0);
  }
  loop.run();
  EXPECT_TRUE(test::entries_of(dir.path()).empty());
  EXPECT_EQ(notify_socket::bind(loop.get_executor(), dir / std::string(200, 'x')).error().code, errc::too_big);
  EXPECT_EQ(notify_socket::bind(loop.get_executor(), "relative").error().code, errc::invalid);
}

TEST(NotifySocket, AWaitEndsWhenTheSocketGoes) {
  test::scratch_directory dir;
  asio::io_context loop(1);
  auto bound = notify_socket::bind(loop.get_executor(), dir / "notify");
  ASSERT_TRUE(bound);
  auto socket = std::make_unique<notify_socket>(std::move(*bound));
  std::optional<result<void>> got;
  asio::co_spawn(loop, socket->ready(), [&](std::exception_ptr, result<void> r) { got = std::move(r); });
  asio::post(loop, [&] { socket.reset(); });
  loop.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code, errc::closed);
}

}  // namespace
}  // namespace berth
