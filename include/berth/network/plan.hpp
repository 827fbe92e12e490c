// SPDX-License-Identifier: Apache-2.0
// What a sandbox's network consists of, and the texts that make it: pure values.
#pragma once

#include <berth/network/address.hpp>
#include <berth/network/egress.hpp>
#include <berth/network/host_ports.hpp>
#include <berth/network/published.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// The names of one sandbox's network resources. All of them hold the same token: five characters that stand for berth's
/// root directory and eight that are the sandbox's own, so that what a crash left can be told from another root's.
struct network_names {
  std::string netns;  ///< "berth-" + token, below /run/netns
  std::string link;   ///< "bv" + token: 15 characters, the longest name that Linux takes
  std::string table;  ///< "berth_" + token: an nft table of family inet, and one of family arp

  BERTH_DECL static network_names of(std::string_view token);
  /// The file that stands for the namespace, for the OCI spec.
  std::string netns_path() const { return "/run/netns/" + netns; }
};

/// How many entries a sandbox may hold in the host's connection tracking: 16 such sandboxes fill the table of a small host.
inline constexpr std::uint32_t default_max_connections = 4096;

/// A network namespace with one end of a veth pair, the other end on the host.
struct network_plan {
  network_names names;
  ipv4_subnet pool;                      ///< what all sandboxes of this host have their addresses from
  ipv4_subnet subnet;                    ///< this one's /30 of it
  int mtu = 1500;                        ///< the uplink's
  bool ipv6 = true;                      ///< the host has IPv6, which the link is to be kept free of
  std::vector<std::string> nameservers;  ///< IPv4; reachable on port 53 wherever they are, the host itself included
  std::uint32_t max_connections = default_max_connections;  ///< of all protocols, at a time; 0: no limit
  egress_policy egress;                                     ///< what it may reach of its own accord
  std::vector<published_port> ports;                        ///< of the host's, that lead to it
  std::vector<host_port> host_ports;  ///< of the host's own, that it may reach, whatever `egress` is

  std::string gateway() const { return subnet.host(1); }  ///< the host's end
  std::string address() const { return subnet.host(2); }  ///< the sandbox's end
  /// The Ethernet address of the sandbox's end, made of `address`: nothing under another one is let through.
  BERTH_DECL std::string mac() const;
};

/// `ip -batch` text for the host's side: namespace, veth pair, the host's address.
BERTH_DECL std::string host_batch(const network_plan& plan);

/// `ip -netns … -batch` text for the inside: loopback, address, default route. IPv6 gets no address, not even link-local.
BERTH_DECL std::string inside_batch(const network_plan& plan);

/// `nft -f` text: two tables of one name, which must not be there yet. From the sandbox: anything but its own source
/// addresses (IPv4, Ethernet and those in ARP) and all IPv6 is dropped; 169.254.0.0/16 (cloud metadata) and other sandboxes
/// are not reached; the host is not reached but for answers, the name servers' port 53 and `host_ports`; what goes out is masqueraded, and
/// counted (see max_connections). What `egress` does not allow is refused besides, and counted. To the sandbox: from the host anything, from elsewhere only answers and what the host
/// itself redirected (DNAT), as `ports` do.
BERTH_DECL std::string nft_ruleset(const network_plan& plan);

/// `nft -f` text that removes the tables, and does nothing where there are none.
BERTH_DECL std::string nft_removal(const network_names& names);

/// The name of the counter in the table of family inet that counts what max_connections refused.
inline constexpr std::string_view refused_counter = "refused";
/// The packets of the counter in `nft list table …`; none where there is no such counter.
BERTH_DECL std::optional<std::uint64_t> parse_nft_counter(std::string_view table, std::string_view counter);

/// The name in a line of `nft list tables` or `nft list chains`, "table FAMILY NAME"; empty for any other line.
BERTH_DECL std::string_view nft_table_name(std::string_view line) noexcept;

/// The resolv.conf for the inside. Name servers on loopback cannot be reached from there, nor IPv6 ones: they are left out.
struct resolver_config {
  std::string text;
  std::vector<std::string> nameservers;  ///< IPv4, at most three as in the resolver
};
/// `host` is the text of the host's /etc/resolv.conf; `upstream` that of /run/systemd/resolve/resolv.conf or empty, taken
/// when `host` names servers on loopback only.
BERTH_DECL resolver_config make_resolver_config(std::string_view host, std::string_view upstream);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/plan.ipp>
#endif
