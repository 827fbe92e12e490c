// SPDX-License-Identifier: Apache-2.0
// What `berth doctor` reads out of `nft list chains`.
#include <berth/managed/detail/firewall_checks.hpp>
#include <berth/managed/sandbox_rules.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(FirewallChecks, FindsThePolicyThatDropsForwardedTraffic) {
  EXPECT_EQ(detail::find_forward_drop(""), "");
  const std::string docker_host =
      "table ip nat {\n\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t}\n}\n"
      "table ip filter {\n\tchain DOCKER-USER {\n\t}\n\tchain INPUT {\n"
      "\t\ttype filter hook input priority filter; policy drop;\n\t}\n\tchain FORWARD {\n"
      "\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n";
  EXPECT_EQ(detail::find_forward_drop(docker_host), "ip filter FORWARD");
}

TEST(FirewallChecks, LeavesAcceptingChainsAndBerthsOwnOut) {
  EXPECT_EQ(detail::find_forward_drop("table ip filter {\n\tchain FORWARD {\n"
                                      "\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}\n"),
            "");
  EXPECT_EQ(detail::find_forward_drop("table inet berth_abcde {\n\tchain forward {\n"
                                      "\t\ttype filter hook forward priority filter - 1; policy drop;\n\t}\n}\n"),
            "");
}

TEST(SandboxRules, AreKnownByTheirTable) {
  sandbox_record record;
  record.token = "abcdefghijklm";
  const std::string line = "table inet berth_abcdefghijklm";
  const std::string arp = "table arp berth_abcdefghijklm";
  EXPECT_TRUE(has_tables(record, line + "\n" + arp + "\n"));
  EXPECT_TRUE(has_tables(record, "table inet filter\n" + arp + "\n" + line + "\ntable inet x\n"));
  EXPECT_TRUE(has_tables(record, line + " {\n\tchain input {\n\t}\n}\n" + arp + " {\n\tchain input {\n\t}\n}\n"));
  EXPECT_FALSE(has_tables(record, ""));
  EXPECT_FALSE(has_tables(record, line + "\n"));
  EXPECT_FALSE(has_tables(record, arp + "\n"));
  EXPECT_FALSE(has_tables(record, line + "n\n" + arp + "n\n"));
}

}  // namespace
}  // namespace berth
