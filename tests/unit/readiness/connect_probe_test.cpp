// SPDX-License-Identifier: Apache-2.0
#include "asking.hpp"
#include "peers.hpp"

#include <berth/readiness/guarded_socket.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>

#include <vector>

namespace berth {
namespace {

using namespace test;
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
  boost::asio::io_context loop(1);
  auto connect = make_connect_probe(at(dir / "s", true));
  auto http = make_http_probe(at(dir / "s"), "/");
  boost::asio::steady_timer warm(loop, milliseconds(1));  // the loop makes its own descriptors on first use
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

}  // namespace
}  // namespace berth
