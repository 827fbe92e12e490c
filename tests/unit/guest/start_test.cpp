// SPDX-License-Identifier: Apache-2.0
// What the start of dockerd writes down, clears away and tells iptables. That it works is shown on the real thing.
#include "guest/start/firewall.hpp"
#include "guest/start/leftovers.hpp"
#include "guest/start/network_record.hpp"

#include <gtest/gtest.h>

namespace berth::guest {
namespace {

firewall example() { return {"/usr/sbin/iptables-legacy", "eth0", "10.211.0.2", {"eth0", "eth1"}}; }

TEST(NetworkRecord, IsReadAsItWasWritten) {
  network_record what;
  what.rules = example();
  what.networks = "/var/lib/docker/network/files/local-kv.db";
  what.dockerd = 17;
  network_record back;
  ASSERT_TRUE(parse_network_record(format_network_record(what), back));
  EXPECT_EQ(back.rules.iptables, what.rules.iptables);
  EXPECT_EQ(back.rules.device, "eth0");
  EXPECT_EQ(back.rules.address, "10.211.0.2");
  EXPECT_EQ(back.rules.outside, what.rules.outside);
  EXPECT_EQ(back.networks, what.networks);
  EXPECT_EQ(back.dockerd, 17);
}

TEST(NetworkRecord, OtherLinesAreNone) {
  network_record to;
  for (const char* bad :
       {"", "a\n", "\ne\na\no\nn\n1\n", "i\ne\na\no\nn\n1\nmore\n", "i\ne\na\no\nn\n1", "i\ne\na\no\nn\nx\n"})
    EXPECT_FALSE(parse_network_record(bad, to)) << bad;
}

TEST(Firewall, NothingIsForwardedButFromAndToTheOutside) {
  EXPECT_EQ(new_rules(example()),
            "*filter\n-N BERTH-FORWARD\n-A FORWARD -j BERTH-FORWARD\n"
            "-A BERTH-FORWARD -i eth0 -j RETURN\n-A BERTH-FORWARD -o eth0 -j RETURN\n"
            "-A BERTH-FORWARD -i eth1 -j RETURN\n-A BERTH-FORWARD -o eth1 -j RETURN\n"
            "-A BERTH-FORWARD -j DROP\nCOMMIT\n"
            "*nat\n-N BERTH-SNAT\n-A POSTROUTING -j BERTH-SNAT\n-N BERTH-OWN\n-A PREROUTING -j BERTH-OWN\n"
            "-A BERTH-SNAT -o eth0 -p tcp -j SNAT --to-source 10.211.0.2\n"
            "-A BERTH-SNAT -o eth0 -p udp -j SNAT --to-source 10.211.0.2\nCOMMIT\n");
  firewall no_way_out = example();
  no_way_out.address.clear();
  EXPECT_EQ(new_rules(no_way_out).find("SNAT --to"), std::string::npos);
}

TEST(Firewall, RulesOfABridgeAreTakenOutAsTheyWerePutIn) {
  const std::string plain = bridge_rules(example(), "br-0123456789ab", "172.18.0.1", false);
  EXPECT_EQ(plain,
            "*nat\n-A BERTH-OWN -i br-0123456789ab -d 10.211.0.2 -p udp -j DNAT --to-destination 172.18.0.1\nCOMMIT\n");
  EXPECT_EQ(without(plain),
            "*nat\n-D BERTH-OWN -i br-0123456789ab -d 10.211.0.2 -p udp -j DNAT --to-destination 172.18.0.1\nCOMMIT\n");
  const std::string internal = bridge_rules(example(), "br-0123456789ab", "172.18.0.1", true);
  EXPECT_EQ(
      without(internal),
      "*filter\n-D BERTH-FORWARD -i br-0123456789ab -j DROP\n-D BERTH-FORWARD -o br-0123456789ab -j DROP\nCOMMIT\n");
  firewall no_way_out = example();
  no_way_out.address.clear();
  EXPECT_EQ(bridge_rules(no_way_out, "br-0123456789ab", "172.18.0.1", false), "");
}

TEST(Leftovers, TheRecordOfDocker0KeepsItsLength) {
  std::string content =
      "..{\"BridgeName\":\"docker0\",\"x\":1}..{\"BridgeName\":\"br-1\"}..{\"BridgeName\":\"docker0\"}";
  const std::size_t size = content.size();
  EXPECT_TRUE(rename_default_bridge(content));
  EXPECT_EQ(content.size(), size);
  EXPECT_EQ(content.find("docker0"), std::string::npos);
  EXPECT_NE(content.find("br-1"), std::string::npos);
  EXPECT_FALSE(rename_default_bridge(content));
}

}  // namespace
}  // namespace berth::guest
