// SPDX-License-Identifier: Apache-2.0
#include <berth/network/address.hpp>
#include <berth/network/host.hpp>

#include <gtest/gtest.h>

namespace {

using namespace berth;

TEST(Ipv4, ReadsDottedQuadsOnly) {
  EXPECT_EQ(parse_ipv4("10.211.0.1"), 0x0ad30001u);
  EXPECT_EQ(parse_ipv4("255.255.255.255"), 0xffffffffu);
  EXPECT_EQ(parse_ipv4("0.0.0.0"), 0u);
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1..3.4",
                          "1.2.3.-4", "0x1.2.3.4", "1.2.3.4/8", "fe80::1", "1.2.3.1000"}) {
    EXPECT_FALSE(parse_ipv4(bad)) << bad;
  }
  EXPECT_EQ(format_ipv4(0x0ad30001u), "10.211.0.1");
}

TEST(Ipv4, ReadsSubnets) {
  auto pool = parse_ipv4_subnet("10.211.0.0/16");
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->to_string(), "10.211.0.0/16");
  EXPECT_TRUE(pool->contains(*parse_ipv4("10.211.255.255")));
  EXPECT_FALSE(pool->contains(*parse_ipv4("10.212.0.0")));
  EXPECT_TRUE(parse_ipv4_subnet("0.0.0.0/0"));
  for (const char* bad : {"10.211.0.0", "10.211.0.1/16", "10.211.0.0/33", "10.211.0.0/-1", "10.211.0.0/", "/16", "x/16",
                          "10.211.0.0/16 "}) {
    auto parsed = parse_ipv4_subnet(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, errc::invalid);
  }
}

std::string allocate(const char* pool, std::vector<const char*> used) {
  std::vector<ipv4_subnet> list;
  for (const char* text : used) list.push_back(*parse_ipv4_subnet(text));
  auto subnet = allocate_subnet(*parse_ipv4_subnet(pool), list);
  return subnet ? subnet->to_string() : std::string(errc_name(subnet.error().code));
}

TEST(Ipv4, AllocatesTheFirstFreeSubnet) {
  EXPECT_EQ(allocate("10.211.0.0/16", {}), "10.211.0.0/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.0/30"}), "10.211.0.4/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.4/30", "10.211.0.0/30"}), "10.211.0.8/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.4/30"}), "10.211.0.0/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.0/30", "10.211.0.8/30"}), "10.211.0.4/30");
}

TEST(Ipv4, StepsOverForeignNetworksOfAnySize) {
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.0/24"}), "10.211.1.0/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.1/32"}), "10.211.0.4/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.0/30", "10.211.0.6/31"}), "10.211.0.8/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"192.0.2.0/24", "10.0.0.0/16"}), "10.211.0.0/30");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.211.0.0/24", "10.211.0.0/30"}), "10.211.1.0/30");
}

TEST(Ipv4, SaysWhenThePoolIsUsedUp) {
  EXPECT_EQ(allocate("10.211.0.0/29", {"10.211.0.0/30"}), "10.211.0.4/30");
  EXPECT_EQ(allocate("10.211.0.0/29", {"10.211.0.0/30", "10.211.0.4/30"}), "again");
  EXPECT_EQ(allocate("10.211.0.0/16", {"10.0.0.0/8"}), "again");
  EXPECT_EQ(allocate("10.211.0.0/31", {}), "invalid");
  EXPECT_EQ(allocate("255.255.255.248/29", {"255.255.255.248/30"}), "255.255.255.252/30");
  EXPECT_EQ(allocate("255.255.255.248/29", {"255.255.255.248/29"}), "again");
}

TEST(Ipv4, GivesWhatWasLongestOutOfUse) {
  const ipv4_subnet pool = *parse_ipv4_subnet("10.211.0.0/28");
  const auto after = [&](const char* last, std::vector<const char*> used) {
    std::vector<ipv4_subnet> list;
    for (const char* text : used) list.push_back(*parse_ipv4_subnet(text));
    auto subnet = allocate_subnet(pool, list, parse_ipv4(last));
    return subnet ? subnet->to_string() : std::string(errc_name(subnet.error().code));
  };
  EXPECT_EQ(after("10.211.0.0", {}), "10.211.0.4/30");
  EXPECT_EQ(after("10.211.0.5", {"10.211.0.8/30"}), "10.211.0.12/30");
  EXPECT_EQ(after("10.211.0.12", {"10.211.0.0/30"}), "10.211.0.4/30");
  EXPECT_EQ(after("10.211.0.8", {"10.211.0.12/30"}), "10.211.0.0/30");
  // The last one again when there is no other; nothing when there is not even that.
  EXPECT_EQ(after("10.211.0.4", {"10.211.0.0/30", "10.211.0.8/29"}), "10.211.0.4/30");
  EXPECT_EQ(after("10.211.0.4", {"10.211.0.0/28"}), "again");
  // One that is no address of the pool says nothing.
  for (const char* last : {"10.212.0.0", "", "x"}) EXPECT_EQ(after(last, {}), "10.211.0.0/30") << last;
  auto edge = allocate_subnet(*parse_ipv4_subnet("255.255.255.248/29"), {}, parse_ipv4("255.255.255.252"));
  ASSERT_TRUE(edge);
  EXPECT_EQ(edge->to_string(), "255.255.255.248/30");
}

TEST(Ipv4, NeverGivesASubnetTwice) {
  std::vector<ipv4_subnet> used;
  const ipv4_subnet pool = *parse_ipv4_subnet("10.211.0.0/22");
  for (int i = 0; i < 256; ++i) {
    auto subnet = allocate_subnet(pool, used);
    ASSERT_TRUE(subnet) << i;
    EXPECT_TRUE(pool.contains(subnet->address));
    for (const ipv4_subnet& other : used) ASSERT_FALSE(other.overlaps(*subnet));
    used.push_back(*subnet);
  }
  EXPECT_FALSE(allocate_subnet(pool, used));
}

TEST(RouteTable, FindsTheDefaultRouteOfTheLowestMetric) {
  const route_table table = parse_route_table(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "wlan0\t00000000\t010200C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
      "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "nonsense\n"
      "bv1\t0000D30A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0\n");
  EXPECT_EQ(table.default_interface, "eth0");
  ASSERT_EQ(table.subnets.size(), 2u);
  EXPECT_EQ(table.subnets[0].to_string(), "192.0.2.0/24");
  EXPECT_EQ(table.subnets[1].to_string(), "10.211.0.0/30");
}

TEST(RouteTable, IsEmptyForAHostWithoutRoutes) {
  const route_table table = parse_route_table("");
  EXPECT_TRUE(table.default_interface.empty());
  EXPECT_TRUE(table.subnets.empty());
}

TEST(HostNetwork, KnowsItsOwnLoopback) {
  auto host = read_host_network();
  ASSERT_TRUE(host) << host.error().to_string();
  EXPECT_GE(host->mtu, 68);
}

}  // namespace
