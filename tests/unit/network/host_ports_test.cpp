// SPDX-License-Identifier: Apache-2.0
#include <berth/network/plan.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(HostPorts, AreReadAndWritten) {
  const auto all = parse_host_ports({"5000", "192.0.2.7:443", "5000"});
  ASSERT_TRUE(all) << all.error().to_string();
  ASSERT_EQ(all->size(), 2u) << "one that is said twice is one";
  EXPECT_EQ((*all)[0], (host_port{0, 5000}));
  EXPECT_EQ((*all)[0].word(), "5000");
  EXPECT_EQ((*all)[1], (host_port{0xc0000207, 443}));
  EXPECT_EQ((*all)[1].word(), "192.0.2.7:443");
}

TEST(HostPorts, WhatNamesNoneIsTold) {
  for (const char* word : {"", "0", "65536", "http", "1:2:3", "192.0.2.7:", ":80", "127.0.0.1:80", "0.0.0.0:80",
                           "host:80", "80/tcp", "192.0.2.7:80/udp"}) {
    const auto one = parse_host_port(word);
    ASSERT_FALSE(one) << word;
    EXPECT_EQ(one.error().code, errc::invalid) << word;
    EXPECT_EQ(one.error().path, "host_ports") << word;
    EXPECT_NE(one.error().message.find(word), std::string::npos) << one.error().to_string();
  }
  EXPECT_FALSE(parse_host_ports(std::vector<std::string>(1, "192.0.2.300:1")));
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= most_host_ports; ++i) many.push_back(std::to_string(1000 + i));
  EXPECT_FALSE(parse_host_ports(many));
}

TEST(HostPorts, AreLetThroughBeforeTheEgressPolicyIsAskedAndNothingElseIs) {
  network_plan plan;
  plan.names = network_names::of("abcdefghijklm");
  plan.pool = *parse_ipv4_subnet("10.211.0.0/16");
  plan.subnet = *parse_ipv4_subnet("10.211.0.8/30");
  const std::string without = nft_ruleset(plan);
  plan.host_ports = *parse_host_ports({"5000", "192.0.2.7:443"});
  std::string with = nft_ruleset(plan);
  const std::string rules =
      "    iifname \"bvabcdefghijklm\" ip daddr 10.211.0.9 tcp dport 5000 goto opened\n"
      "    iifname \"bvabcdefghijklm\" ip daddr 192.0.2.7 tcp dport 443 goto opened\n";
  const std::size_t at = with.find(rules);
  ASSERT_NE(at, std::string::npos) << with;
  EXPECT_EQ(with.compare(at + rules.size(), 45, "    iifname \"bvabcdefghijklm\" jump egress_host\n", 45), 0) << with;
  EXPECT_EQ(with.erase(at, rules.size()), without);
}

TEST(HostPorts, OfAnAddressThatTheHostDoesNotHaveAreRefused) {
  EXPECT_TRUE(check_host_addresses(*parse_host_ports({"5000"})));
  const auto checked = check_host_addresses(*parse_host_ports({"192.0.2.77:5000"}));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, errc::not_found);
  EXPECT_EQ(checked.error().path, "192.0.2.77:5000");
}

}  // namespace
}  // namespace berth
