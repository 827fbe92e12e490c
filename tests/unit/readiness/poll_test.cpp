#include "../process/loop.hpp"
#include "peers.hpp"

#include <berth/readiness/guarded_socket.hpp>
#include <berth/readiness/poll.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

namespace berth {
namespace {

using boost::asio::awaitable;
using test::run;
namespace asio = boost::asio;

socket_address at(const std::string& path, bool guarded = false) {
  socket_address a;
  a.unix_path = path;
  a.guarded = guarded;
  return a;
}

poll_options within(duration d) {
  poll_options o;
  o.deadline = deadline_after(d);
  return o;
}

probe_outcome ask(probe& p, duration limit = seconds(60)) { return run(p.ask(deadline_after(limit))); }

using kind = probe_outcome::kind;

TEST(ConnectProbe, NotThereRefusedAndThere) {
  test::scratch_directory dir;
  const auto path = dir / "s";
  auto p = make_connect_probe(at(path));
  auto o = ask(*p);
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.sys_errno, ENOENT);
  EXPECT_EQ(o.reason.path, path);
  EXPECT_FALSE(o.connected);
  { auto closed = test::listen_unix(path); }
  o = ask(*p);
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.sys_errno, ECONNREFUSED);
  ::unlink(path.c_str());
  auto listener = test::listen_unix(path);
  o = ask(*p);
  EXPECT_EQ(o.what, kind::ready);
  EXPECT_TRUE(o.connected);
}

TEST(ConnectProbe, AFullBacklogIsNotYet) {
  test::scratch_directory dir;
  auto listener = test::listen_unix(dir / "s", 0);
  std::vector<unique_fd> waiting;
  result<unique_fd> c = connect_unix(dir / "s");
  while (c && waiting.size() < 100) {
    waiting.push_back(std::move(*c));
    c = connect_unix(dir / "s");
  }
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().sys_errno, EAGAIN);
  auto p = make_connect_probe(at(dir / "s"));
  EXPECT_EQ(ask(*p).what, kind::not_yet);
}

TEST(ConnectProbe, Tcp) {
  std::uint16_t port = 0;
  socket_address a;
  a.host = "127.0.0.1";
  {
    auto listener = test::listen_tcp(port);
    a.port = port;
    auto p = make_connect_probe(a);
    EXPECT_EQ(ask(*p).what, kind::ready);
  }
  auto p = make_connect_probe(a);
  auto o = ask(*p);
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.sys_errno, ECONNREFUSED);
  a.host = "localhost";
  p = make_connect_probe(a);
  EXPECT_EQ(ask(*p).what, kind::fatal);
}

TEST(ConnectProbe, NoPermissionIsFatal) {
  test::scratch_directory dir;
  auto p = make_connect_probe(at("/dev/null/s"));
  EXPECT_EQ(ask(*p).what, kind::fatal);  // ENOTDIR: no waiting mends the path
}

TEST(ConnectProbe, OutOfDescriptorsIsFatalAndLeaksNone) {
  test::scratch_directory dir;
  auto listener = test::listen_unix(dir / "s");
  asio::io_context loop(1);
  auto connect = make_connect_probe(at(dir / "s", true));
  auto http = make_http_probe(at(dir / "s"), "/");
  asio::steady_timer warm(loop, milliseconds(1));  // the loop makes its own descriptors on first use
  warm.async_wait([](boost::system::error_code) {});
  loop.run();
  const auto before = test::open_descriptors();
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  for (auto* p : {connect.get(), http.get()}) {
    std::vector<unique_fd> taken;
    const rlimit low{256, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
      taken.emplace_back(fd);
    }
    auto r = test::run_on(loop, poll_until_ready(*p, within(seconds(60))));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(r.status, errc::probe_failed);
    EXPECT_EQ(r.last.sys_errno, EMFILE);
    EXPECT_EQ(r.attempts, 1U);
    EXPECT_FALSE(r.last.hint.empty());
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

TEST(Guarded, ConnectsToARealSocketOnly) {
  test::scratch_directory dir;
  auto listener = test::listen_unix(dir / "s");
  EXPECT_TRUE(connect_guarded(dir / "s"));
  ASSERT_EQ(::symlink((dir / "s").c_str(), (dir / "link").c_str()), 0);
  EXPECT_TRUE(connect_unix(dir / "link"));
  auto link = connect_guarded(dir / "link");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, errc::hostile);
  auto dangling = dir / "dangling";
  ASSERT_EQ(::symlink("/proc/none", dangling.c_str()), 0);
  EXPECT_EQ(connect_guarded(dangling).error().code, errc::hostile);
  unique_fd file(::open((dir / "file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_EQ(connect_guarded(dir / "file").error().code, errc::hostile);
  EXPECT_EQ(connect_guarded("/tmp").error().code, errc::hostile);
  EXPECT_EQ(connect_guarded(dir / "none").error().sys_errno, ENOENT);
  EXPECT_EQ(connect_guarded("").error().code, errc::invalid);
  auto p = make_connect_probe(at(dir / "link", true));
  auto r = run(poll_until_ready(*p, within(seconds(60))));
  EXPECT_EQ(r.status, errc::probe_failed);
  EXPECT_EQ(r.last.code, errc::hostile);
}

TEST(Guarded, ConnectionsAreNonBlockingAndCloseOnExec) {
  test::scratch_directory dir;
  auto listener = test::listen_unix(dir / "s");
  auto c = connect_guarded(dir / "s");
  ASSERT_TRUE(c);
  EXPECT_NE(::fcntl(c->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(c->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Guarded, APathLongerThanASocketAddress) {
  test::scratch_directory dir;
  const std::string deep = dir / std::string(100, 'd');
  ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
  auto listener = test::listen_unix(dir / "s");
  ASSERT_EQ(::rename((dir / "s").c_str(), (deep + "/s").c_str()), 0);
  EXPECT_TRUE(connect_guarded(deep + "/s"));
  EXPECT_TRUE(connect_unix(deep + "/s"));
  ::unlink((deep + "/s").c_str());
  ::rmdir(deep.c_str());
}

TEST(HttpProbe, ReadyOn200WithAProperRequest) {
  test::scratch_directory dir;
  std::string seen;
  test::server s(test::listen_unix(dir / "s"), [&](int c, const std::string& request) {
    seen = request;
    test::send_all(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
  });
  auto p = make_http_probe(at(dir / "s", true), "/_ping");
  const auto o = ask(*p);
  EXPECT_EQ(o.what, kind::ready) << o.reason.to_string();
  EXPECT_TRUE(o.connected);
  EXPECT_EQ(seen, "GET /_ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

TEST(HttpProbe, OverTcp) {
  std::uint16_t port = 0;
  auto listener = test::listen_tcp(port);
  test::server s(std::move(listener), test::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  socket_address a;
  a.host = "127.0.0.1";
  a.port = port;
  auto p = make_http_probe(a, "/");
  EXPECT_EQ(ask(*p).what, kind::ready);
}

TEST(HttpProbe, AnotherStatusIsNotYetAndNamed) {
  test::scratch_directory dir;
  test::server s(test::listen_unix(dir / "s"), test::answering("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
  auto p = make_http_probe(at(dir / "s"), "/_ping");
  const auto o = ask(*p);
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_TRUE(o.connected);
  EXPECT_EQ(o.reason.message, "GET /_ping: status 503");
}

TEST(HttpProbe, JudgesTheBody) {
  test::scratch_directory dir;
  test::server s(test::listen_unix(dir / "s"),
                 test::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"));
  auto p = make_http_probe(at(dir / "s"), "/", [](std::string_view body) { return body == "yes"; });
  EXPECT_EQ(ask(*p).what, kind::ready);
  p = make_http_probe(at(dir / "s"), "/", [](std::string_view body) { return body == "no"; });
  EXPECT_EQ(ask(*p).what, kind::not_yet);
}

TEST(HttpProbe, ASlowServerIsCapped) {
  test::scratch_directory dir;
  test::server s(test::listen_unix(dir / "s"), [](int c, const std::string&) {
    // An answer that never comes to its end, a byte at a time, until the prober hangs up.
    test::send_all(c, "HTTP/1.1 200 OK\r\nX: ");
    while (::send(c, "x", 1, MSG_NOSIGNAL) == 1) ::usleep(5000);
  });
  auto p = make_http_probe(at(dir / "s"), "/");
  const auto o = ask(*p, milliseconds(200));
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.code, errc::timeout);
  EXPECT_TRUE(o.connected);
}

TEST(HttpProbe, AnEndlessBodyIsBounded) {
  test::scratch_directory dir;
  std::atomic<std::size_t> sent{0};
  test::server s(test::listen_unix(dir / "s"), [&](int c, const std::string&) {
    test::send_all(c, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(4096, 'x');
    while (::send(c, block.data(), block.size(), MSG_NOSIGNAL) > 0) sent += block.size();
  });
  auto p = make_http_probe(at(dir / "s"), "/", [](std::string_view) { return true; });
  const auto o = ask(*p);
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.code, errc::too_big);
}

TEST(HttpProbe, APeerThatHangsUpIsNotYet) {
  test::scratch_directory dir;
  test::server s(test::listen_unix(dir / "s"), [](int, const std::string&) {});
  auto p = make_http_probe(at(dir / "s"), "/");
  const auto o = ask(*p);
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_TRUE(o.connected);
}

TEST(CommandProbe, ReadyOnExitZero) {
  host_executor host;
  command yes;
  yes.argv = {"true"};
  command no;
  no.argv = {"sh", "-c", "echo why >&2; exit 1"};
  command none;
  none.argv = {"berth-no-such-program"};
  command hangs;
  hangs.argv = {"sleep", "1000"};
  EXPECT_EQ(ask(*make_command_probe(host, yes)).what, kind::ready);
  const auto o = ask(*make_command_probe(host, no));
  EXPECT_EQ(o.what, kind::not_yet);
  EXPECT_EQ(o.reason.detail, "why\n");
  EXPECT_EQ(ask(*make_command_probe(host, none)).what, kind::fatal);
  const auto slow = ask(*make_command_probe(host, hangs), milliseconds(200));
  EXPECT_EQ(slow.what, kind::not_yet);
  EXPECT_EQ(slow.reason.code, errc::timeout);
}

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
    asio::co_spawn(ex,
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
  asio::co_spawn(loop, poll_until_ready(*p, options),
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
