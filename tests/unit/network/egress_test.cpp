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
                    "example.com",
                    "*.example.com:443/tcp",
                    "xn--mnchen-3ya.example:8000-8100/udp",
                    "_sip._tcp.example.com/udp",
                    "dns"};
  EXPECT_EQ(read_back(exact), exact);
  // A port alone is one of TCP, as docker's -p has it; one address needs no prefix length; each rule stands there once.
  EXPECT_EQ(read_back({"10.1.2.3/32:443", "dns", "10.1.2.3:443/tcp", "dns"}), (words{"10.1.2.3:443/tcp", "dns"}));
  EXPECT_EQ(read_back({"Example.COM.:443", "example.com:443/tcp"}), words{"example.com:443/tcp"});
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
      {{"localhost"}, "'localhost' has no dot", "a whole name"},
      {{"None"}, "has no dot", "all or none"},
      {{"*"}, "has a * that does not stand", "all is for everything"},
      {{"*.*.example.com"}, "has a * that", "*.example.com"},
      {{"www*.example.com"}, "has a * that", "*.example.com"},
      {{"münchen.example"}, "is not in ASCII", "punycode"},
      {{"example..com"}, "two dots", ""},
      {{".example.com"}, "two dots", ""},
      {{"-a.example"}, "hyphen", ""},
      {{"a.example;drop"}, "a character that no name has", ""},
      {{"a.example\"}"}, "a character that no name has", ""},
      {{"a.example/24"}, "a prefix length behind a name", "*.example.com"},
      {{"10.1.2.x1.9"}, "ends with a number", ""},
      {{std::string(64, 'a') + ".example"}, "longer than 63", ""},
      {{"a.example:443/sctp"}, "neither tcp nor udp", ""},
      {{"a.example:0"}, "port", ""},
      {{"https://example.com/"}, "is a URL", "example.com:443"},
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
  policy.named.push_back({"example.com\"; }", false, egress_protocol::any, 0, 0});
  EXPECT_FALSE(check_egress(policy, pool));
  policy.named[0] = {"example.com", false, egress_protocol::any, 443, 443};
  EXPECT_FALSE(check_egress(policy, pool));
  policy.named[0] = {"example.com", false, egress_protocol::udp, 443, 443};
  EXPECT_TRUE(check_egress(policy, pool));
  policy.everything = true;
  EXPECT_FALSE(check_egress(policy, pool));
}

const std::string resolver_objects =
    "  map resolver {\n    type inet_service : inet_service\n    size 1\n  }\n  set resolver_port {\n    type inet_service\n"
    "    size 1\n  }\n";
const std::string asking = "  chain asking {\n    type nat hook prerouting priority dstnat - 1; policy accept;\n";
const std::string flushed = "table inet berth_x {\n  chain egress_open {\n  }\n" + asking + R"(  }
}
flush chain inet berth_x asking
flush chain inet berth_x egress
flush chain inet berth_x egress_open
flush chain inet berth_x egress_host
flush chain inet berth_x egress_answers
)";

TEST(Egress, AChangeIsOneTransaction) {
  EXPECT_EQ(nft_egress_change("berth_x", "bvx", egress_policy::all(), egress_policy::none()),
            flushed + "table inet berth_x {\n" + resolver_objects + R"(  chain egress_open {
  }
  chain egress {
  }
  chain egress_host {
  }
  chain egress_answers {
  }
)" + asking + "  }\n}\n");
  const auto policy = parse_egress({"10.0.0.0/8", "192.0.2.7:443", "192.0.2.8:8000-8100/udp", "192.0.2.9/udp", "dns"});
  EXPECT_EQ(nft_egress_change("berth_x", "bvx", *policy, egress_policy::all()),
            flushed + "table inet berth_x {\n" + resolver_objects + R"(  chain egress_open {
    goto refuse
  }
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
)" + asking + "  }\n}\n");
}

TEST(Egress, ANameIsTwoSetsAndItsQuestionsGoToBerth) {
  const auto policy = parse_egress({"*.example.com:443", "dns"});
  const egress_name& rule = policy->named.at(0);
  const std::string fresh = rule.fresh_set(), open = rule.open_set();
  EXPECT_EQ(fresh.size(), 18u);
  EXPECT_NE(fresh, parse_egress({"example.com:443"})->named.at(0).fresh_set());
  const std::string sets = "  set " + fresh + " {\n    type ipv4_addr\n    size 4096\n    flags timeout\n  }\n  set " +
                           open +
                           " {\n    type ipv4_addr\n    size 65535\n    flags dynamic,timeout\n    timeout 5d\n  }\n";
  const std::string kept = " tcp dport 443 update @" + open + " { ip daddr } return\n";
  EXPECT_EQ(
      nft_egress_change("berth_x", "bvx", *policy, *policy),
      flushed + "table inet berth_x {\n" + resolver_objects + sets + "  chain egress_open {\n    ip daddr @" + open +
          kept + "    goto refuse\n  }\n  chain egress {\n    ct direction reply return\n    ip daddr @" + fresh +
          kept +
          "    ct status & confirmed != 0 goto egress_open\n    ct state invalid goto egress_open\n    goto refuse\n"
          "  }\n  chain egress_host {\n"
          "    ct status dnat meta l4proto { tcp, udp } th dport @resolver_port goto opened\n    goto refuse\n  }\n"
          "  chain egress_answers {\n    ip saddr @" +
          open +
          " tcp sport 443 return\n    ct state related return\n    meta l4proto tcp reject with tcp reset\n    drop\n  }\n" +
          asking +
          "    iifname \"bvx\" meta l4proto { tcp, udp } th dport 53 redirect to :th dport map @resolver\n  }\n}\n");
  // The sets of a name that is a rule no more go, whether they are there or not.
  const std::string gone = nft_egress_change("berth_x", "bvx", egress_policy::none(), *policy);
  EXPECT_LT(gone.find(sets), gone.find("flush chain"));
  EXPECT_TRUE(gone.ends_with("}\ndelete set inet berth_x " + fresh + "\ndelete set inet berth_x " + open + "\n"))
      << gone;
}

TEST(Egress, NoneLetsNoQuestionForANameThrough) {
  const std::string text = nft_egress_change("berth_x", "bvx", egress_policy::none(), egress_policy::all());
  for (const char* word : {"questions", "name_answers", "daddr", "redirect"})
    EXPECT_EQ(text.find(word), std::string::npos);
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
  EXPECT_TRUE(parse_refused_places("set refused_places { elements = { ").empty());
  EXPECT_TRUE(
      parse_refused_places("set refused_places {\n}\nset other {\nelements = { 192.0.2.8 . tcp . 1 }\n}").empty());
  EXPECT_TRUE(parse_refused_places("table inet berth_x {\n\tset refused_places {\n\t}\n}\n").empty());
}

TEST(EgressName, MatchesTheNameOrWhatIsBelowIt) {
  const auto rules = parse_egress({"example.com", "*.example.org"})->named;
  EXPECT_TRUE(rules[0].matches("example.com"));
  EXPECT_FALSE(rules[0].matches("www.example.com"));
  EXPECT_FALSE(rules[0].matches("badexample.com"));
  EXPECT_TRUE(rules[1].matches("www.example.org"));
  EXPECT_TRUE(rules[1].matches("a.b.example.org"));
  EXPECT_FALSE(rules[1].matches("example.org"));
  EXPECT_FALSE(rules[1].matches(".example.org"));
  EXPECT_FALSE(rules[1].matches("badexample.org"));
  EXPECT_FALSE(rules[1].matches("www.example.org.evil.example"));
}

TEST(EgressName, ItsAddressesAreReadFromNft) {
  const auto rules = parse_egress({"example.com", "*.example.com:443"})->named;
  const auto read = parse_named_addresses("table inet berth_x {\n\tset " + rules[0].fresh_set() + R"( {
		type ipv4_addr
		size 4096
		flags timeout
	}

	set )" + rules[1].fresh_set() + R"( {
		type ipv4_addr
		size 4096
		flags timeout
		elements = { 192.0.2.7 timeout 5m expires 4m58s712ms comment "www.example.com",
			     192.0.2.8 timeout 5m expires 12s, nonsense }
	}
)",
                                          rules);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0],
            (named_address{"www.example.com", "192.0.2.7", "*.example.com:443/tcp", std::chrono::seconds(298)}));
  EXPECT_EQ(read[1], (named_address{"", "192.0.2.8", "*.example.com:443/tcp", std::chrono::seconds(12)}));
  EXPECT_TRUE(parse_named_addresses("", rules).empty());
}

}  // namespace
