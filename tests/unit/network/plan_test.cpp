// SPDX-License-Identifier: Apache-2.0
#include <berth/network/plan.hpp>

#include <gtest/gtest.h>

namespace {

using namespace berth;

network_plan example() {
  network_plan plan;
  plan.names = network_names::of("abcdefghijklm");
  plan.pool = *parse_ipv4_subnet("10.211.0.0/16");
  plan.subnet = *parse_ipv4_subnet("10.211.0.8/30");
  plan.mtu = 1450;
  plan.nameservers = {"192.0.2.53", "169.254.169.254"};
  return plan;
}

TEST(NetworkPlan, NamesFitTheKernelsLimits) {
  const network_names names = network_names::of("abcdefghijklm");
  EXPECT_EQ(names.link, "bvabcdefghijklm");
  EXPECT_EQ(names.link.size(), 15u);  // IFNAMSIZ less the NUL
  EXPECT_EQ(names.netns, "berth-abcdefghijklm");
  EXPECT_EQ(names.netns_path(), "/run/netns/berth-abcdefghijklm");
  EXPECT_EQ(names.table, "berth_abcdefghijklm");
}

TEST(NetworkPlan, HostBatch) {
  EXPECT_EQ(
      host_batch(example()),
      "netns add berth-abcdefghijklm\n"
      "link add name bvabcdefghijklm mtu 1450 type veth peer name eth0 address 02:be:0a:d3:00:0a mtu 1450 netns berth-abcdefghijklm\n"
      "link set dev bvabcdefghijklm addrgenmode none\n"
      "addr add 10.211.0.9/30 dev bvabcdefghijklm\n"
      "link set dev bvabcdefghijklm up\n");
}

TEST(NetworkPlan, InsideBatch) {
  EXPECT_EQ(inside_batch(example()),
            "link set dev lo up\n"
            "link set dev eth0 addrgenmode none\n"
            "addr replace 10.211.0.10/30 dev eth0\n"
            "link set dev eth0 up\n"
            "route replace default via 10.211.0.9 dev eth0\n");
}

TEST(NetworkPlan, AHostWithoutIPv6HasNothingToSet) {
  network_plan plan = example();
  const auto without = [](std::string text, const std::string& line) {
    return text.erase(text.find(line), line.size());
  };
  const std::string outside = without(host_batch(plan), "link set dev bvabcdefghijklm addrgenmode none\n");
  const std::string inside = without(inside_batch(plan), "link set dev eth0 addrgenmode none\n");
  plan.ipv6 = false;
  EXPECT_EQ(host_batch(plan), outside);
  EXPECT_EQ(inside_batch(plan), inside);
}

TEST(NetworkPlan, NftRuleset) {
  EXPECT_EQ(nft_ruleset(example()), R"(create table inet berth_abcdefghijklm
create table arp berth_abcdefghijklm
table arp berth_abcdefghijklm {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "bvabcdefghijklm" arp saddr ether 02:be:0a:d3:00:0a arp saddr ip 10.211.0.10 accept
    iifname "bvabcdefghijklm" drop
  }
}
table inet berth_abcdefghijklm {
  counter refused { }
  ct timeout short {
    protocol tcp
    l3proto ip
    policy = { time_wait : 10, close : 5 }
  }
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname "bvabcdefghijklm" ether saddr != 02:be:0a:d3:00:0a drop
    iifname "bvabcdefghijklm" meta nfproto ipv6 drop
    iifname "bvabcdefghijklm" ip saddr != 10.211.0.10 drop
  }
  chain opened {
    ct status & confirmed != 0 accept
    ct count over 4096 counter name refused drop
    limit rate over 409/second burst 4096 packets counter name refused drop
    meta l4proto tcp ct timeout set "short"
    accept
  }
  counter refused_egress { }
  set refused_places {
    type ipv4_addr . inet_proto . inet_service
    size 1024
    flags dynamic,timeout
    timeout 1h
  }
  chain questions {
    ip daddr { 192.0.2.53, 169.254.169.254 } meta l4proto { tcp, udp } th dport 53 goto opened
  }
  chain name_answers {
    ip saddr { 192.0.2.53, 169.254.169.254 } meta l4proto { tcp, udp } th sport 53 accept
  }
  chain refuse {
    counter name refused_egress
    meta l4proto { tcp, udp } update @refused_places { ip daddr . meta l4proto . th dport counter }
    limit rate over 200/second burst 200 packets drop
    meta l4proto tcp reject with tcp reset
    reject with icmp type admin-prohibited
    drop
  }
  map resolver {
    type inet_service : inet_service
    size 1
  }
  set resolver_port {
    type inet_service
    size 1
  }
  chain egress_open {
  }
  chain egress {
  }
  chain egress_host {
  }
  chain egress_answers {
  }
  chain asking {
    type nat hook prerouting priority dstnat - 1; policy accept;
  }
  chain input {
    type filter hook input priority filter - 1; policy accept;
    iifname "bvabcdefghijklm" ct direction reply ct state established,related accept
    iifname "bvabcdefghijklm" jump egress_host
    iifname "bvabcdefghijklm" ct state established,related accept
    iifname "bvabcdefghijklm" ip daddr { 192.0.2.53, 169.254.169.254 } meta l4proto { tcp, udp } th dport 53 goto opened
    iifname "bvabcdefghijklm" drop
  }
  chain forward {
    type filter hook forward priority filter - 1; policy accept;
    iifname "bvabcdefghijklm" jump egress
    iifname "bvabcdefghijklm" ip daddr { 192.0.2.53, 169.254.169.254 } meta l4proto { tcp, udp } th dport 53 goto opened
    iifname "bvabcdefghijklm" ip daddr { 169.254.0.0/16, 10.211.0.0/16 } drop
    iifname "bvabcdefghijklm" goto opened
    oifname "bvabcdefghijklm" ct direction reply jump egress_answers
    oifname "bvabcdefghijklm" ct state established,related accept
    oifname "bvabcdefghijklm" ct status dnat accept
    oifname "bvabcdefghijklm" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 10.211.0.10 oifname != "bvabcdefghijklm" masquerade
  }
}
)");
}

TEST(NetworkPlan, WithoutALimitOfConnectionsNothingIsCounted) {
  network_plan plan = example();
  plan.max_connections = 0;
  const std::string rules = nft_ruleset(plan);
  for (const char* word : {"ct count", "counter name refused drop", "counter refused {", "ct timeout"})
    EXPECT_EQ(rules.find(word), std::string::npos);
  plan.max_connections = 3;
  EXPECT_NE(nft_ruleset(plan).find("limit rate over 1/second burst 3 packets"), std::string::npos);
}

TEST(NetworkPlan, ReadsWhatNftPrints) {
  const std::string_view table =
      "table inet berth_x {\n\tcounter refused_egress {\n\t\tpackets 7 bytes 1\n\t}\n\n"
      "\tcounter refused {\n\t\tpackets 12 bytes 345\n\t}\n\n"
      "\tchain opened {\n\t\tct count over 4096 counter name \"refused\" drop\n\t}\n}\n";
  EXPECT_EQ(parse_nft_counter(table, "refused"), 12u);
  EXPECT_EQ(parse_nft_counter(table, "refused_egress"), 7u);
  EXPECT_EQ(parse_nft_counter(table, "others"), std::nullopt);
  EXPECT_EQ(parse_nft_counter("counter refused {", "refused"), std::nullopt);
  EXPECT_EQ(parse_nft_counter("counter refused { bytes 3", "refused"), std::nullopt);
  EXPECT_EQ(parse_nft_counter("", "refused"), std::nullopt);
  EXPECT_EQ(nft_table_name("table arp berth_x"), "berth_x");
  EXPECT_EQ(nft_table_name("table inet berth_x {"), "berth_x");
  EXPECT_EQ(nft_table_name("table"), "");
  EXPECT_EQ(nft_table_name("berth_x"), "");
}

TEST(NetworkPlan, WithoutNameServersNothingIsLetThrough) {
  network_plan plan = example();
  plan.nameservers.clear();
  EXPECT_EQ(nft_ruleset(plan).find("dport 53"), std::string::npos);
  // Neither another sandbox nor what is no address can pass for a name server.
  plan.nameservers = {"10.211.0.2", "fe80::1", "} drop"};
  EXPECT_EQ(nft_ruleset(plan).find("dport 53"), std::string::npos);
}

TEST(NetworkPlan, Removal) {
  EXPECT_EQ(nft_removal(example().names),
            "table inet berth_abcdefghijklm {}\ndelete table inet berth_abcdefghijklm\n"
            "table arp berth_abcdefghijklm {}\ndelete table arp berth_abcdefghijklm\n");
}

TEST(ResolverConfig, KeepsServersThatCanBeReached) {
  const auto config = make_resolver_config(
      "# made by hand\nsearch example.org\nnameserver 192.0.2.53\n"
      "nameserver  198.51.100.1 \noptions ndots:2\n",
      "");
  EXPECT_EQ(config.text, "nameserver 192.0.2.53\nnameserver 198.51.100.1\nsearch example.org\noptions ndots:2\n");
  EXPECT_EQ(config.nameservers, (std::vector<std::string>{"192.0.2.53", "198.51.100.1"}));
}

TEST(ResolverConfig, LooksBehindTheStubResolver) {
  const auto config =
      make_resolver_config("nameserver 127.0.0.53\noptions edns0\n", "nameserver 192.0.2.1\nsearch lan\n");
  EXPECT_EQ(config.text, "nameserver 192.0.2.1\nsearch lan\n");
}

TEST(ResolverConfig, LeavesOutWhatCannotBeReached) {
  const auto config = make_resolver_config("nameserver 127.0.0.1\nnameserver 192.0.2.53\nnameserver fd00::1\n", "");
  EXPECT_EQ(config.text, "nameserver 192.0.2.53\n");
  // Nothing but the loopback anywhere: the rest is kept, and there is no server.
  const auto none = make_resolver_config("nameserver 127.0.0.1\nsearch lan\n", "nameserver ::1\n");
  EXPECT_EQ(none.text, "search lan\n");
  EXPECT_TRUE(none.nameservers.empty());
  EXPECT_TRUE(make_resolver_config("", "").text.empty());
}

TEST(ResolverConfig, TakesThreeServersAsTheResolverDoes) {
  const auto config = make_resolver_config(
      "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", "");
  EXPECT_EQ(config.nameservers.size(), 3u);
}

TEST(ResolverConfig, ALineWithoutNewlineCounts) {
  EXPECT_EQ(make_resolver_config("nameserver 192.0.2.1", "").nameservers.size(), 1u);
}

}  // namespace
