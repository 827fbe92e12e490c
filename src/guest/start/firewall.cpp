// SPDX-License-Identifier: Apache-2.0
#include "start/firewall.hpp"

#include "base/real_program.hpp"
#include "base/tool.hpp"
#include "base/words.hpp"

#include <unistd.h>

namespace berth::guest {
namespace {

std::string forward_rules(const firewall& what) {
  std::string text;
  for (const std::string& link : what.outside)
    text += "-A BERTH-FORWARD -i " + link + " -j RETURN\n-A BERTH-FORWARD -o " + link + " -j RETURN\n";
  return text + "-A BERTH-FORWARD -j DROP\n";
}

std::string snat_rules(const firewall& what) {
  std::string text;
  if (what.address.empty()) return text;
  for (const char* protocol : {"tcp", "udp"})
    text += "-A BERTH-SNAT -o " + what.device + " -p " + protocol + " -j SNAT --to-source " + what.address + "\n";
  return text;
}

std::string restore(const firewall& what, const std::string& input) {
  std::string printed;
  const int code = run_tool({what.iptables + "-restore", "--noflush"}, input, 0, &printed);
  if (code == 0) return {};
  if (code == 127) return what.iptables + "-restore cannot be run";
  return "iptables: " + printed.substr(0, printed.find('\n'));
}

}  // namespace

std::string new_rules(const firewall& what) {
  return "*filter\n-N BERTH-FORWARD\n-A FORWARD -j BERTH-FORWARD\n" + forward_rules(what) +
         "COMMIT\n*nat\n-N BERTH-SNAT\n-A POSTROUTING -j BERTH-SNAT\n-N BERTH-OWN\n-A PREROUTING -j BERTH-OWN\n" +
         snat_rules(what) + "COMMIT\n";
}

std::string same_rules_again(const firewall& what) {
  return "*filter\n:BERTH-FORWARD - [0:0]\n" + forward_rules(what) +
         "COMMIT\n*nat\n:BERTH-SNAT - [0:0]\n:BERTH-OWN - [0:0]\n" + snat_rules(what) + "COMMIT\n";
}

std::string bridge_rules(const firewall& what, const std::string& bridge, const std::string& gateway, bool internal) {
  if (internal)  // before the others
    return "*filter\n-I BERTH-FORWARD -i " + bridge + " -j DROP\n-I BERTH-FORWARD -o " + bridge + " -j DROP\nCOMMIT\n";
  if (what.address.empty()) return {};
  return "*nat\n-A BERTH-OWN -i " + bridge + " -d " + what.address + " -p udp -j DNAT --to-destination " + gateway +
         "\nCOMMIT\n";
}

std::string without(std::string_view rules) {
  std::string text;
  std::string_view line;
  while (next_line(rules, line)) {
    const bool adds = line.starts_with("-A ") || line.starts_with("-I ");
    text += (adds ? "-D" + std::string(line.substr(2)) : std::string(line)) + "\n";
  }
  return text;
}

std::string load_rules(const firewall& what) {
  // -N fails all of it where a chain is there already, and then what the chains hold is replaced.
  if (restore(what, new_rules(what)).empty()) return {};
  std::string failed = restore(what, same_rules_again(what));
  const std::pair<const char*, const char*> jumps[] = {
      {"FORWARD", "BERTH-FORWARD"}, {"POSTROUTING", "BERTH-SNAT"}, {"PREROUTING", "BERTH-OWN"}};
  for (const auto& [from, to] : jumps) {
    if (!failed.empty()) return failed;
    const std::string table = std::string(from) == "FORWARD" ? "filter" : "nat";
    if (run_tool({what.iptables, "-t", table, "-C", from, "-j", to}, {}) != 0)
      failed = change_rules(what, "*" + table + "\n-A " + from + " -j " + to + "\nCOMMIT\n");
  }
  return failed;
}

std::string change_rules(const firewall& what, const std::string& rules) {
  return rules.empty() ? std::string() : restore(what, rules);
}

std::string find_legacy_iptables() {
  std::string found = find_real_program("iptables-legacy");
  const char* const hidden = "/usr/local/sbin/.iptables-legacy/iptables";  // docker:dind's
  if (found.empty() && ::access(hidden, X_OK) == 0) found = hidden;
  return found;
}

}  // namespace berth::guest
