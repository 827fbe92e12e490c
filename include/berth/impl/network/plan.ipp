// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/network/plan.hpp>

#include <berth/base/text.hpp>

#include <cstdio>
#include <sstream>

namespace berth {

BERTH_DECL network_names network_names::of(std::string_view token) {
  network_names names;
  names.netns = "berth-" + std::string(token);
  names.link = "bv" + std::string(token);
  names.table = "berth_" + std::string(token);
  return names;
}

BERTH_DECL std::string network_plan::mac() const {
  // 02: administered locally, one address.
  const std::uint32_t ip = subnet.address + 2;
  char text[18];
  std::snprintf(text, sizeof text, "02:be:%02x:%02x:%02x:%02x", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
  return text;
}

BERTH_DECL std::string host_batch(const network_plan& plan) {
  const std::string& link = plan.names.link;
  const std::string mtu = std::to_string(plan.mtu);
  std::string text;
  text += "netns add " + plan.names.netns + "\n";
  text += "link add name " + link + " mtu " + mtu + " type veth peer name eth0 address " + plan.mac() + " mtu " + mtu +
          " netns " + plan.names.netns + "\n";
  // Where IPv6 is switched off (ipv6.disable=1) there is nothing to set, and ip would stop at it.
  if (plan.ipv6) text += "link set dev " + link + " addrgenmode none\n";
  text += "addr add " + plan.gateway() + "/30 dev " + link + "\n";
  text += "link set dev " + link + " up\n";
  return text;
}

BERTH_DECL std::string inside_batch(const network_plan& plan) {
  std::string text;
  text += "link set dev lo up\n";
  if (plan.ipv6) text += "link set dev eth0 addrgenmode none\n";
  text += "addr replace " + plan.address() + "/30 dev eth0\n";
  text += "link set dev eth0 up\n";
  text += "route replace default via " + plan.gateway() + " dev eth0\n";
  return text;
}

namespace detail {

/// `ct count` counts no entry of a TCP connection that is over, though the kernel keeps it for two minutes: the time is
/// made short, and the limit on the rate bounds what is made within it.
inline constexpr std::uint32_t time_wait_seconds = 10;

inline std::string connection_objects() {
  std::string text;
  text += "  counter " + std::string(refused_counter) + " { }\n";
  text += "  ct timeout short {\n";
  text += "    protocol tcp\n    l3proto ip\n";
  text += "    policy = { time_wait : " + std::to_string(time_wait_seconds) + ", close : 5 }\n";
  text += "  }\n";
  return text;
}

/// Where everything ends that the sandbox begins and that is let through. The first packet of each flow is counted, and
/// that only: kernels before 6.19 count a flow's further ones again until an answer comes.
inline std::string opened_chain(std::uint32_t most) {
  std::string text = "  chain opened {\n";
  if (most != 0) {
    const std::string refuse = " counter name " + std::string(refused_counter) + " drop\n";
    const std::uint32_t rate = most / time_wait_seconds == 0 ? 1 : most / time_wait_seconds;
    text += "    ct status & confirmed != 0 accept\n";
    text += "    ct count over " + std::to_string(most) + refuse;
    text +=
        "    limit rate over " + std::to_string(rate) + "/second burst " + std::to_string(most) + " packets" + refuse;
    text += "    meta l4proto tcp ct timeout set \"short\"\n";
  }
  text += "    accept\n";
  text += "  }\n";
  return text;
}

}  // namespace detail

BERTH_DECL std::string nft_ruleset(const network_plan& plan) {
  const std::string link = '"' + plan.names.link + '"';
  const std::string table = "table inet " + plan.names.table;
  const std::string arp = "table arp " + plan.names.table;
  const std::string address = plan.address();
  std::string servers;  // what may be asked on port 53
  for (const std::string& server : plan.nameservers) {
    const auto ip = parse_ipv4(server);
    if (!ip || plan.pool.contains(*ip)) continue;
    servers += (servers.empty() ? "" : ", ") + format_ipv4(*ip);
  }
  const std::string to_servers = "ip daddr { " + servers + " } meta l4proto { tcp, udp } th dport 53 goto opened";
  const std::string of_servers = "ip saddr { " + servers + " } meta l4proto { tcp, udp } th sport 53 accept";
  const auto allow_names = [&] { return servers.empty() ? "" : "    iifname " + link + " " + to_servers + "\n"; };

  using detail::connection_objects, detail::opened_chain;
  std::string text;
  // Not declared and deleted first, so as to be replaced where it is there: the kernel takes 12 ms to delete even an empty one.
  text += "create " + table + "\n";
  text += "create " + arp + "\n";
  // ARP passes no table of family inet. An entry in the host's neighbours for each address that a sandbox invents would
  // push out those of others.
  text += arp + " {\n";
  text += "  chain input {\n";
  text += "    type filter hook input priority filter; policy accept;\n";
  text += "    iifname " + link + " arp saddr ether " + plan.mac() + " arp saddr ip " + address + " accept\n";
  text += "    iifname " + link + " drop\n";
  text += "  }\n";
  text += "}\n";
  text += table + " {\n";
  if (plan.max_connections != 0) text += connection_objects();
  // Before connection tracking: nothing under a false source address gets as far as a state entry.
  text += "  chain prerouting {\n";
  text += "    type filter hook prerouting priority raw; policy accept;\n";
  text += "    iifname " + link + " ether saddr != " + plan.mac() + " drop\n";
  text += "    iifname " + link + " meta nfproto ipv6 drop\n";
  text += "    iifname " + link + " ip saddr != " + address + " drop\n";
  text += "  }\n";
  text += opened_chain(plan.max_connections);
  text += detail::egress_base(servers.empty() ? "" : to_servers, servers.empty() ? "" : of_servers);
  text += detail::egress_chains(plan.egress, plan.names.link);
  text += "  chain input {\n";
  text += "    type filter hook input priority filter - 1; policy accept;\n";
  text += "    iifname " + link + " ct direction reply ct state established,related accept\n";
  text += detail::host_port_rules(plan.host_ports, link, plan.gateway());
  text += "    iifname " + link + " jump egress_host\n";
  text += "    iifname " + link + " ct state established,related accept\n";
  text += allow_names();
  text += "    iifname " + link + " drop\n";
  text += "  }\n";
  text += "  chain forward {\n";
  text += "    type filter hook forward priority filter - 1; policy accept;\n";
  text += "    iifname " + link + " jump egress\n";
  text += allow_names();
  text += "    iifname " + link + " ip daddr { 169.254.0.0/16, " + plan.pool.to_string() + " } drop\n";
  text += "    iifname " + link + " goto opened\n";
  text += "    oifname " + link + " ct direction reply jump egress_answers\n";
  text += "    oifname " + link + " ct state established,related accept\n";
  text += "    oifname " + link + " ct status dnat accept\n";
  text += "    oifname " + link + " drop\n";
  text += "  }\n";
  text += detail::published_chains(plan.ports, link, address);
  text += "  chain postrouting {\n";
  text += "    type nat hook postrouting priority srcnat; policy accept;\n";
  // From a loopback address nothing is answered.
  if (!plan.ports.empty()) text += "    ip saddr 127.0.0.0/8 oifname " + link + " masquerade\n";
  text += "    ip saddr " + address + " oifname != " + link + " masquerade\n";
  text += "  }\n";
  text += "}\n";
  return text;
}

BERTH_DECL std::string nft_removal(const network_names& names) {
  // Declaring it first makes the removal of an absent table succeed; nft 1.0.6 has no `destroy`.
  std::string text;
  for (const char* family : {"inet ", "arp "}) {
    text += "table " + (family + names.table) + " {}\ndelete table " + (family + names.table) + "\n";
  }
  return text;
}

BERTH_DECL std::optional<std::uint64_t> parse_nft_counter(std::string_view table, std::string_view counter) {
  const std::string begin = "counter " + std::string(counter) + " {";
  const std::size_t at = table.find(begin);
  if (at == std::string_view::npos) return std::nullopt;
  std::istringstream words{std::string(table.substr(at + begin.size(), 100))};
  std::string word, number;
  if (!(words >> word >> number) || word != "packets") return std::nullopt;
  return parse_number<std::uint64_t>(number);
}

BERTH_DECL std::string_view nft_table_name(std::string_view line) noexcept {
  if (!line.starts_with("table ")) return {};
  line.remove_prefix(6);
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return {};
  line.remove_prefix(blank + 1);
  return line.substr(0, line.find(' '));
}

namespace detail {

struct resolver_lines {
  std::vector<std::string> nameservers;
  std::string others;  // search, domain, options: as they are
  bool any = false;    // a nameserver of whatever kind
};

inline resolver_lines read_resolver_lines(std::string_view text) {
  resolver_lines found;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    std::istringstream words(line);
    std::string key, value;
    if (!(words >> key) || key.front() == '#' || key.front() == ';') continue;
    if (key != "nameserver") {
      if (line.find('\0') == std::string::npos) found.others += line + "\n";
      continue;
    }
    words >> value;
    found.any = true;
    const auto ip = parse_ipv4(value);
    if (!ip || *ip == 0 || *ip >> 24 == 127) continue;
    if (found.nameservers.size() < 3) found.nameservers.push_back(value);
  }
  return found;
}

}  // namespace detail

BERTH_DECL resolver_config make_resolver_config(std::string_view host, std::string_view upstream) {
  detail::resolver_lines lines = detail::read_resolver_lines(host);
  if (lines.nameservers.empty()) {
    detail::resolver_lines other = detail::read_resolver_lines(upstream);
    if (!other.nameservers.empty()) lines = std::move(other);
  }
  resolver_config config;
  config.nameservers = lines.nameservers;
  for (const std::string& server : lines.nameservers) config.text += "nameserver " + server + "\n";
  config.text += lines.others;
  return config;
}

}  // namespace berth
