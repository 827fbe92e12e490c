// SPDX-License-Identifier: Apache-2.0
#include <berth/base/unique_fd.hpp>
#include <berth/network/plan.hpp>
#include <berth/network/published.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth {
namespace {

std::string read_again(std::string_view word) {
  const auto port = parse_published_port(word);
  return port ? port->word() : port.error().message;
}

TEST(PublishedPort, IsReadInAllItsForms) {
  EXPECT_EQ(read_again("80"), "127.0.0.1:80:80/tcp");
  EXPECT_EQ(read_again("8080:80"), "127.0.0.1:8080:80/tcp");
  EXPECT_EQ(read_again("53:5353/udp"), "127.0.0.1:53:5353/udp");
  EXPECT_EQ(read_again("0.0.0.0:8080:80/tcp"), "0.0.0.0:8080:80/tcp");
  EXPECT_EQ(read_again("192.0.2.7:1:65535"), "192.0.2.7:1:65535/tcp");
}

TEST(PublishedPort, WhatIsNoneIsSaid) {
  for (const char* word : {"", "0", "65536", "a", "80:", ":80", "80:80/sctp", "80/", "1:2:3", "localhost:80:80",
                           "[::1]:80:80", "127.0.0.1::80", "1.2.3:80:80", "80-90:80-90", "-1:80", "80:80:80:80"}) {
    const auto port = parse_published_port(word);
    ASSERT_FALSE(port) << word;
    EXPECT_EQ(port.error().code, errc::invalid);
    EXPECT_NE(port.error().message.find("'" + std::string(word) + "'"), std::string::npos) << port.error().message;
    EXPECT_FALSE(port.error().hint.empty());
  }
}

TEST(PublishedPort, TwoThatMeetAreRefused) {
  EXPECT_FALSE(parse_published_ports({"8080:80", "8080:81"}));
  EXPECT_FALSE(parse_published_ports({"0.0.0.0:8080:80", "192.0.2.7:8080:80"}));
  EXPECT_TRUE(parse_published_ports({"8080:80", "8080:80/udp", "8081:80", "192.0.2.7:8080:80"}));
  EXPECT_FALSE(parse_published_ports(std::vector<std::string>(65, "80")));
}

TEST(PublishedPort, HasItsRules) {
  EXPECT_EQ(detail::published_chains({}, "\"bv\"", "10.211.0.2"), "");
  EXPECT_EQ(
      detail::published_chains(*parse_published_ports({"8080:80", "0.0.0.0:53:5353/udp"}), "\"bv\"", "10.211.0.2"),
      "  chain published {\n"
      "    type nat hook prerouting priority dstnat; policy accept;\n"
      "    iifname \"bv\" accept\n"
      "    ip daddr 127.0.0.1 tcp dport 8080 dnat ip to 10.211.0.2:80\n"
      "    fib daddr type local udp dport 53 dnat ip to 10.211.0.2:5353\n"
      "  }\n"
      "  chain published_here {\n"
      "    type nat hook output priority -100; policy accept;\n"
      "    ip daddr 127.0.0.1 tcp dport 8080 dnat ip to 10.211.0.2:80\n"
      "    fib daddr type local udp dport 53 dnat ip to 10.211.0.2:5353\n"
      "  }\n");
}

TEST(PublishedPort, OneInUseIsRefused) {
  const unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  socklen_t size = sizeof place;
  ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&place), &size), 0);
  published_port port;
  port.host_port = ntohs(place.sin_port);
  port.port = 80;
  const auto taken = check_host_ports_free({port});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, errc::exists);
  EXPECT_NE(taken.error().message.find(std::to_string(port.host_port)), std::string::npos);
  port.udp = true;
  EXPECT_TRUE(check_host_ports_free({port}));
  port.host_address = 0xc6336407;  // 198.51.100.7, nobody's
  const auto strange = check_host_ports_free({port});
  ASSERT_FALSE(strange);
  EXPECT_EQ(strange.error().code, errc::not_found);
}

}  // namespace
}  // namespace berth
