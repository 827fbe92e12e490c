// SPDX-License-Identifier: Apache-2.0
#include <berth/network/egress.hpp>
#include <berth/network/plan.hpp>

#include <gtest/gtest.h>

namespace {

using namespace berth;
using words = std::vector<std::string>;

words read_back(const words& given) {
  const auto policy = parse_egress(given);
  return policy ? policy->words() : words{"refused: " + policy.error().message};
}

TEST(Egress, ReadsTheWordsThatItWrites) {
  EXPECT_EQ(read_back({"all"}), words{"all"});
  EXPECT_EQ(read_back({"none"}), words{"none"});
  EXPECT_EQ(read_back({"dns"}), words{"dns"});
  const words exact{"10.0.0.0/8",
                    "10.1.2.3",
                    "10.1.2.3:443/tcp",
                    "10.1.2.3:53/udp",
                    "0.0.0.0/0:8000-8100/tcp",
                    "192.0.2.7/udp",
                    "10.0.0.0/8/tcp",
                    "255.255.255.255:65535/tcp",
                    "dns"};
  EXPECT_EQ(read_back(exact), exact);
  // A port alone is one of TCP, as docker's -p has it; one address needs no prefix length; each rule stands there once.
  EXPECT_EQ(read_back({"10.1.2.3/32:443", "dns", "10.1.2.3:443/tcp", "dns"}), (words{"10.1.2.3:443/tcp", "dns"}));
  EXPECT_EQ(egress_policy().words(), words{"all"});
  EXPECT_EQ(egress_policy::none().words(), words{"none"});
}

struct bad_words {
  words given;
  std::string message;  // a part of it
  std::string hint;
};

TEST(Egress, SaysWhatIsWrongAndWhatToDo) {
  const bad_words all[] = {
      {{}, "no egress rule", "write none"},
      {{""}, "empty", "ADDRESS[/PREFIX]"},
      {{"none", "10.0.0.0/8"}, "'none' stands with others", "leave it out"},
      {{"10.0.0.0/8", "all"}, "'all' stands with others", "leave it out"},
      {{"example.com"},
       "'example.com' is a name; egress rules take addresses, names are not supported yet",
       "resolve it"},
      {{"example.com:443"}, "names are not supported yet", "resolve it"},
      {{"localhost"}, "names are not supported yet", "resolve it"},
      {{"None"}, "names are not supported yet", "resolve it"},
      {{"https://example.com/"}, "is a URL", "192.0.2.7:443"},
      {{"10.0.0.0/8,dns"}, "more than one", "each rule by itself"},
      {{"10.0.0.0/8 dns"}, "more than one", "each rule by itself"},
      {{"2001:db8::1"}, "IPv6", "leave it out"},
      {{"[2001:db8::1]:443"}, "IPv6", "leave it out"},
      {{"::/0"}, "IPv6", "leave it out"},
      {{"10.1.2.3/icmp"}, "neither tcp nor udp", "ICMP too"},
      {{"10.1.2.3:443/sctp"}, "neither tcp nor udp", ""},
      {{"10.1.2"}, "no IPv4 address", "ADDRESS"},
      {{"10.1.2.300"}, "no IPv4 address", ""},
      {{"010.1.2.3"}, "no IPv4 address", ""},
      {{":443"}, "no IPv4 address", ""},
      {{"/8"}, "no IPv4 address", ""},
      {{"10.0.0.0/33"}, "from 0 to 32", ""},
      {{"10.0.0.0/"}, "from 0 to 32", ""},
      {{"10.1.0.0/8"},
       "bits set behind its prefix length",
       "write 10.0.0.0/8 for the network, or 10.1.0.0 for the one"},
      {{"10.1.2.3:"}, "port", "10.1.2.3:8000-8100"},
      {{"10.1.2.3:0"}, "port", ""},
      {{"10.1.2.3:65536"}, "port", ""},
      {{"10.1.2.3:http"}, "port", ""},
      {{"10.1.2.3:90-80"}, "port", ""},
      {{"10.1.2.3:-80"}, "port", ""},
      {{"10.1.2.3:80-"}, "port", ""},
      {{"10.1.2.3; drop"}, "more than one", ""},
      {{"10.1.2.3:80}"}, "port", ""},
  };
  for (const bad_words& bad : all) {
    SCOPED_TRACE(bad.given.empty() ? "nothing" : bad.given.back());
    const auto policy = parse_egress(bad.given);
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().code, errc::invalid);
    EXPECT_EQ(policy.error().path, "egress");
    EXPECT_NE(policy.error().message.find(bad.message), std::string::npos) << policy.error().message;
    EXPECT_NE(policy.error().hint.find(bad.hint), std::string::npos) << policy.error().hint;
  }
}

std::string checked(const words& given) {
  const auto done = check_egress(*parse_egress(given), *parse_ipv4_subnet("10.211.0.0/16"));
  return done ? "fine" : done.error().message;
}

TEST(Egress, WhatNoSandboxReachesIsNoRule) {
  EXPECT_EQ(checked({"all"}), "fine");
  EXPECT_EQ(checked({"10.0.0.0/8", "0.0.0.0/0", "dns"}), "fine");  // more than the pool
  EXPECT_NE(checked({"127.0.0.1:80"}).find("loopback"), std::string::npos);
  EXPECT_NE(checked({"169.254.169.254:80"}).find("link-local"), std::string::npos);
  EXPECT_NE(checked({"10.211.0.6"}).find("other sandboxes"), std::string::npos);
  words many;
  for (int i = 0; i < 257; ++i) many.push_back("192.0.2.7:" + std::to_string(i + 1));
  EXPECT_NE(checked(many).find("more than 256"), std::string::npos);
  many.pop_back();
  EXPECT_EQ(checked(many), "fine");
}

TEST(Egress, APolicyThatAProgramMadeIsCheckedToo) {
  const ipv4_subnet pool = *parse_ipv4_subnet("10.211.0.0/16");
  egress_policy policy = egress_policy::none();
  policy.allowed.push_back({{0x0a000001, 8}, egress_protocol::any, 0, 0});  // bits behind the prefix
  EXPECT_FALSE(check_egress(policy, pool));
  policy.allowed[0] = {{0x0a000000, 8}, egress_protocol::any, 443, 443};  // a port of no protocol
  EXPECT_FALSE(check_egress(policy, pool));
  policy.allowed[0] = {{0x0a000000, 8}, egress_protocol::tcp, 443, 80};
  EXPECT_FALSE(check_egress(policy, pool));
  policy.allowed[0] = {{0x0a000000, 8}, egress_protocol::tcp, 443, 443};
  EXPECT_TRUE(check_egress(policy, pool));
  policy.everything = true;
  EXPECT_FALSE(check_egress(policy, pool));
}

TEST(Egress, AChangeIsOneTransactionOfThreeChains) {
  EXPECT_EQ(nft_egress_change("berth_x", egress_policy::all()), R"(flush chain inet berth_x egress
flush chain inet berth_x egress_host
flush chain inet berth_x egress_answers
table inet berth_x {
  chain egress {
  }
  chain egress_host {
  }
  chain egress_answers {
  }
}
)");
  const auto policy = parse_egress({"10.0.0.0/8", "192.0.2.7:443", "192.0.2.8:8000-8100/udp", "192.0.2.9/udp", "dns"});
  EXPECT_EQ(nft_egress_change("berth_x", *policy), R"(flush chain inet berth_x egress
flush chain inet berth_x egress_host
flush chain inet berth_x egress_answers
table inet berth_x {
  chain egress {
    ct direction reply return
    ip daddr 10.0.0.0/8 return
    ip daddr 192.0.2.7 tcp dport 443 return
    ip daddr 192.0.2.8 udp dport 8000-8100 return
    ip daddr 192.0.2.9 meta l4proto udp return
    jump questions
    goto refuse
  }
  chain egress_host {
    jump questions
    goto refuse
  }
  chain egress_answers {
    ip saddr 10.0.0.0/8 return
    ip saddr 192.0.2.7 tcp sport 443 return
    ip saddr 192.0.2.8 udp sport 8000-8100 return
    ip saddr 192.0.2.9 meta l4proto udp return
    jump name_answers
    ct state related return
    meta l4proto tcp reject with tcp reset
    drop
  }
}
)");
}

TEST(Egress, NoneLetsNoQuestionForANameThrough) {
  const std::string text = nft_egress_change("berth_x", egress_policy::none());
  for (const char* word : {"questions", "name_answers", "daddr"}) EXPECT_EQ(text.find(word), std::string::npos);
}

TEST(Egress, ARulesetBeginsWithItsPolicy) {
  network_plan plan;
  plan.names = network_names::of("abcdefghijklm");
  plan.pool = *parse_ipv4_subnet("10.211.0.0/16");
  plan.subnet = *parse_ipv4_subnet("10.211.0.8/30");
  plan.egress = egress_policy::none();
  const std::string text = nft_ruleset(plan);
  EXPECT_NE(text.find("  chain egress {\n    ct direction reply return\n    goto refuse\n  }\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("  chain egress_host {\n    goto refuse\n  }\n"), std::string::npos) << text;
  // Asked before anything else lets a packet through.
  const std::size_t forward = text.find("chain forward");
  EXPECT_EQ(text.find("iifname", forward), text.find("iifname \"bvabcdefghijklm\" jump egress\n", forward));
}

TEST(RefusedPlaces, AreReadFromNft) {
  const auto places = parse_refused_places(R"(table inet berth_x {
	set refused_places {
		type ipv4_addr . inet_proto . inet_service
		size 1024
		flags dynamic,timeout
		timeout 1h
		elements = { 127.0.0.8 . udp . 53 counter packets 1 bytes 29 expires 59m20s948ms,
			     192.0.2.7 . tcp . 443 counter packets 3 bytes 180 expires 59m59s944ms,
			     192.0.2.9 . icmp . 0 counter packets 3 bytes 180 expires 59m59s944ms,
			     nonsense, 192.0.2.8 . tcp . 1 expires 1h }
	}
}
)");
  ASSERT_EQ(places.size(), 3u);
  EXPECT_EQ(places[0].to.to_string(), "192.0.2.8:1/tcp");
  EXPECT_EQ(places[0].packets, 0u);
  EXPECT_EQ(places[0].ago.count(), 0);
  EXPECT_EQ(places[1].to.to_string(), "192.0.2.7:443/tcp");
  EXPECT_EQ(places[1].packets, 3u);
  EXPECT_EQ(places[1].ago.count(), 1);
  EXPECT_EQ(places[2].to.to_string(), "127.0.0.8:53/udp");
  EXPECT_EQ(places[2].ago.count(), 40);
  EXPECT_TRUE(parse_refused_places("").empty());
  EXPECT_TRUE(parse_refused_places("elements = { ").empty());
  EXPECT_TRUE(parse_refused_places("table inet berth_x {\n\tset refused_places {\n\t}\n}\n").empty());
}

}  // namespace
