#pragma once

#include <berth/network/plan.hpp>

#include <sstream>

namespace berth {

BERTH_DECL network_names network_names::of(std::string_view token) {
  network_names names;
  names.netns = "berth-" + std::string(token);
  names.link = "bv" + std::string(token);
  names.table = "berth_" + std::string(token);
  return names;
}

BERTH_DECL std::string host_batch(const network_plan& plan) {
  const std::string& link = plan.names.link;
  const std::string mtu = std::to_string(plan.mtu);
  std::string text;
  text += "netns add " + plan.names.netns + "\n";
  text += "link add name " + link + " mtu " + mtu + " type veth peer name eth0 mtu " + mtu + " netns " +
          plan.names.netns + "\n";
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
  text += "addr add " + plan.address() + "/30 dev eth0\n";
  text += "link set dev eth0 up\n";
  text += "route add default via " + plan.gateway() + " dev eth0\n";
  return text;
}

BERTH_DECL std::string nft_ruleset(const network_plan& plan) {
  const std::string link = '"' + plan.names.link + '"';
  const std::string table = "table inet " + plan.names.table;
  const std::string address = plan.address();
  std::string servers;  // what may be asked on port 53
  for (const std::string& server : plan.nameservers) {
    const auto ip = parse_ipv4(server);
    if (!ip || plan.pool.contains(*ip)) continue;
    servers += (servers.empty() ? "" : ", ") + format_ipv4(*ip);
  }
  const auto allow_names = [&] {
    if (servers.empty()) return std::string();
    return "    iifname " + link + " ip daddr { " + servers + " } meta l4proto { tcp, udp } th dport 53 accept\n";
  };

  std::string text;
  // Not declared and deleted first, so as to be replaced where it is there: the kernel takes 12 ms to delete even an empty one.
  text += "create " + table + "\n";
  text += table + " {\n";
  // Before connection tracking: nothing under a false source address gets as far as a state entry.
  text += "  chain prerouting {\n";
  text += "    type filter hook prerouting priority raw; policy accept;\n";
  text += "    iifname " + link + " meta nfproto ipv6 drop\n";
  text += "    iifname " + link + " ip saddr != " + address + " drop\n";
  text += "  }\n";
  text += "  chain input {\n";
  text += "    type filter hook input priority filter - 1; policy accept;\n";
  text += "    iifname " + link + " ct state established,related accept\n";
  text += allow_names();
  text += "    iifname " + link + " drop\n";
  text += "  }\n";
  text += "  chain forward {\n";
  text += "    type filter hook forward priority filter - 1; policy accept;\n";
  text += allow_names();
  text += "    iifname " + link + " ip daddr { 169.254.0.0/16, " + plan.pool.to_string() + " } drop\n";
  text += "    oifname " + link + " ct state established,related accept\n";
  text += "    oifname " + link + " ct status dnat accept\n";
  text += "    oifname " + link + " drop\n";
  text += "  }\n";
  text += "  chain postrouting {\n";
  text += "    type nat hook postrouting priority srcnat; policy accept;\n";
  text += "    ip saddr " + address + " oifname != " + link + " masquerade\n";
  text += "  }\n";
  text += "}\n";
  return text;
}

BERTH_DECL std::string nft_removal(const network_names& names) {
  // Declaring it first makes the removal of an absent table succeed; nft 1.0.6 has no `destroy`.
  return "table inet " + names.table + " {}\ndelete table inet " + names.table + "\n";
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
