// SPDX-License-Identifier: Apache-2.0
#include "asking.hpp"
#include "peers.hpp"

#include <gtest/gtest.h>

namespace berth {
namespace {

using namespace test;
using kind = probe_outcome::kind;

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

}  // namespace
}  // namespace berth
