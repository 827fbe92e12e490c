// SPDX-License-Identifier: Apache-2.0
#include "asking.hpp"
#include "peers.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

using boost::asio::awaitable;
using namespace test;
using kind = probe_outcome::kind;
namespace asio = boost::asio;

TEST(Poll, EndsWhenTheSocketAppears) {
  test::scratch_directory dir;
  auto p = make_http_probe(at(dir / "s"), "/_ping");
  std::unique_ptr<test::server> s;
  std::vector<int> reasons;
  poll_options o = within(seconds(60));
  o.on_attempt = [&](std::uint32_t attempt, const probe_outcome& outcome) {
    reasons.push_back(outcome.reason.sys_errno);
    if (attempt == 3) {
      s = std::make_unique<test::server>(test::listen_unix(dir / "s"),
                                         test::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    }
  };
  auto r = run(poll_until_ready(*p, o));
  EXPECT_TRUE(r.ready());
  EXPECT_EQ(r.attempts, 4U);
  EXPECT_EQ(reasons, (std::vector<int>{ENOENT, ENOENT, ENOENT}));
  EXPECT_TRUE(r.connected);
}

TEST(Poll, PastTheDeadlineTellsAttemptsAndTheLastError) {
  auto p = make_connect_probe(at("/proc/none/s"));
  auto r = run(poll_until_ready(*p, within(milliseconds(200))));
  EXPECT_EQ(r.status, errc::timeout);
  EXPECT_GE(r.attempts, 2U);
  EXPECT_EQ(r.last.sys_errno, ENOENT);
  EXPECT_GT(r.elapsed, duration::zero());
}

TEST(Poll, EndsWhenTheProcessEnds) {
  asio::io_context loop(1);
  auto p = make_connect_probe(at("/proc/none/s"));
  exit_notice notice;
  auto work = [&]() -> awaitable<poll_result> {
    auto ex = co_await asio::this_coro::executor;
    spawn_options o;
    o.argv = {"/bin/sh", "-c", "exit 7"};
    auto child = process::start(ex, o);
    asio::co_spawn(
        ex,
        [&]() -> awaitable<void> {
          auto r = co_await child->wait();
          notice.set(*r);
        },
        asio::detached);
    poll_options options;  // no deadline: only the exit can end it
    options.schedule = {seconds(1000), seconds(1000), 1.0, 0.0, seconds(2)};
    auto r = co_await poll_until_ready(*p, options, &notice);
    co_return r;
  };
  auto r = test::run_on(loop, work());
  EXPECT_EQ(r.status, errc::process_exited);
  EXPECT_EQ(r.exited, (exit_status{7, 0}));
  EXPECT_EQ(r.attempts, 1U);
  EXPECT_EQ(r.last.sys_errno, ENOENT);
}

TEST(Poll, EndsInTheMiddleOfAProbeWhenTheProcessEnds) {
  test::scratch_directory dir;
  auto silent = test::listen_unix(dir / "s");  // connects, and never answers
  asio::io_context loop(1);
  auto p = make_http_probe(at(dir / "s"), "/");
  exit_notice notice;
  asio::steady_timer later(loop, milliseconds(50));
  later.async_wait([&](boost::system::error_code) { notice.set({0, 9}); });
  poll_options options;
  options.schedule.attempt_timeout = seconds(1000);
  auto r = test::run_on(loop, poll_until_ready(*p, options, &notice));
  EXPECT_EQ(r.status, errc::process_exited);
  EXPECT_EQ(r.exited->signal, 9);
  auto again = test::run_on(loop, poll_until_ready(*p, options, &notice));
  EXPECT_EQ(again.status, errc::process_exited);
  EXPECT_EQ(again.attempts, 0U);
}

TEST(Poll, IsCancelledAsleepAndInTheMiddleOfAProbe) {
  test::scratch_directory dir;
  auto silent = test::listen_unix(dir / "s");
  auto asking = make_http_probe(at(dir / "s"), "/");
  auto sleeping = make_connect_probe(at("/proc/none/s"));
  for (auto* p : {asking.get(), sleeping.get()}) {
    asio::io_context loop(1);
    asio::cancellation_signal stop;
    asio::steady_timer later(loop, milliseconds(50));
    later.async_wait([&](boost::system::error_code) { stop.emit(asio::cancellation_type::terminal); });
    poll_options options;
    options.schedule = {seconds(1000), seconds(1000), 1.0, 0.0, seconds(1000)};
    std::optional<poll_result> got;
    asio::co_spawn(loop, poll_until_ready(*p, options),
                   asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, poll_result r) {
                     EXPECT_FALSE(e);
                     got = std::move(r);
                   }));
    loop.run();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, errc::cancelled);
    EXPECT_EQ(got->attempts, 1U);
  }
}

TEST(Poll, IsEndedFromItsOwnCallback) {
  auto p = make_connect_probe(at("/proc/none/s"));
  poll_options options;
  options.schedule = {seconds(1000), seconds(1000), 1.0, 0.0, seconds(2)};
  exit_notice notice;
  options.on_attempt = [&](std::uint32_t, const probe_outcome&) { notice.set({1, 0}); };
  auto r = run(poll_until_ready(*p, options, &notice));
  EXPECT_EQ(r.status, errc::process_exited);
  asio::io_context loop(1);
  asio::cancellation_signal stop;
  options.on_attempt = [&](std::uint32_t, const probe_outcome&) { stop.emit(asio::cancellation_type::terminal); };
  std::optional<poll_result> got;
  asio::co_spawn(
      loop, poll_until_ready(*p, options),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr, poll_result x) { got = std::move(x); }));
  loop.run();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, errc::cancelled);
}

class throwing_probe final : public probe {
 public:
  awaitable<probe_outcome> ask(time_point) override {
    throw std::runtime_error("by design");
    co_return probe_outcome();
  }
};

TEST(Poll, AProbeThatThrowsIsFatal) {
  throwing_probe p;
  auto r = run(poll_until_ready(p, within(seconds(60))));
  EXPECT_EQ(r.status, errc::probe_failed);
  EXPECT_NE(r.last.message.find("by design"), std::string::npos);
}

TEST(Poll, AThousandAtOnceLoseNone) {
  test::scratch_directory dir;
  asio::io_context loop(1);
  auto p = make_connect_probe(at(dir / "s"));
  unique_fd listener;
  std::uint32_t asked = 0;
  int ready = 0;
  for (int i = 0; i < 1000; ++i) {
    poll_options o = within(seconds(120));
    o.on_attempt = [&](std::uint32_t attempt, const probe_outcome&) {
      ++asked;
      if (attempt == 3 && !listener) listener = test::listen_unix(dir / "s", 4096);
    };
    asio::co_spawn(loop, poll_until_ready(*p, std::move(o)), [&](std::exception_ptr e, poll_result r) {
      EXPECT_FALSE(e);
      if (r.ready()) ++ready;
    });
  }
  loop.run();
  EXPECT_EQ(ready, 1000);
  EXPECT_GE(asked, 2000U);
}

}  // namespace
}  // namespace berth
