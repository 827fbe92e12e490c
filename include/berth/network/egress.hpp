// SPDX-License-Identifier: Apache-2.0
// What a sandbox may reach of its own accord: the policy, the words that people write it in, the nft rules that enforce it.
// Pure values.
#pragma once

#include <berth/network/address.hpp>
#include <berth/network/egress_name.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Addresses that may be reached, and by what.
struct egress_rule {
  ipv4_subnet to;
  egress_protocol protocol = egress_protocol::any;
  std::uint16_t first_port = 0;  ///< 0: every port; else with the protocol tcp or udp
  std::uint16_t last_port = 0;
  BERTH_DECL std::string to_string()
      const;  ///< "10.0.0.0/8", "10.1.2.3:443/tcp", "10.1.2.3:8000-8100/udp", "10.1.2.3/udp"
  friend bool operator==(const egress_rule&, const egress_rule&) = default;
};

/// Where a sandbox may begin connections to. Answers to who reaches it are no matter of this. Nothing here opens what no
/// sandbox reaches: the host, other sandboxes, link-local addresses (nft_ruleset).
struct egress_policy {
  bool everything = true;
  bool names = false;  ///< port 53 of its name servers, wherever they are; with `named`, that all names are answered
  std::vector<egress_rule> allowed;  ///< with `named`, at most most_egress_rules
  std::vector<egress_name> named;

  static egress_policy all() { return {}; }
  static egress_policy none() { return {false, false, {}, {}}; }
  /// The words that parse_egress takes: {"all"}, {"none"}, or one for each rule.
  BERTH_DECL std::vector<std::string> words() const;
  friend bool operator==(const egress_policy&, const egress_policy&) = default;
};

/// Each packet that goes out is compared with one rule after the other.
inline constexpr std::size_t most_egress_rules = 256;

/// Reads `all`, `none`, or a list of `dns`, ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp] and the same with a name, or *.NAME for
/// the names below it, in place of an address; a port alone is one of TCP.
/// Errors: invalid, with the word in the message and what to write in its place in the hint.
BERTH_DECL result<egress_policy> parse_egress(const std::vector<std::string>& words);

/// Whether a policy can be enforced and means something: what lies wholly in `pool` (other sandboxes), on loopback or on
/// link-local addresses would never be reached. parse_egress has seen to the rest. Errors: invalid.
BERTH_DECL result<void> check_egress(const egress_policy& policy, const ipv4_subnet& pool);

/// The counter, in a sandbox's table of family inet, of the packets of its own that were refused.
inline constexpr std::string_view refused_egress_counter = "refused_egress";

/// The set, in the same table, of where these packets were to go, by TCP or UDP: an element for each address and port.
inline constexpr std::string_view refused_places_set = "refused_places";
/// More than these are only counted, until one is forgotten.
inline constexpr std::size_t most_refused_places = 1024;
/// How long one is kept after its last packet.
inline constexpr std::chrono::hours refused_places_kept{1};

/// Where a sandbox was refused a connection or a datagram.
struct refused_place {
  egress_rule to;  ///< one address, one port: the rule that would let it through
  std::uint64_t packets = 0;
  std::chrono::seconds ago{0};  ///< since the last of them
  friend bool operator==(const refused_place&, const refused_place&) = default;
};

/// Of `nft list table`, the latest first; leaves out what it cannot read.
BERTH_DECL std::vector<refused_place> parse_refused_places(std::string_view table);

namespace detail {

/// Of the table: what stays as it is whatever the policy. `names` matches questions to the name servers, and comes with a
/// verdict of its own; empty where there are none.
BERTH_DECL std::string egress_base(std::string_view questions, std::string_view answers);

/// Of the table: the chains that the policy fills, and the sets of its names. `egress` is for what the sandbox sends through the
/// host, `egress_open` for what of it belongs to flows that are open, `egress_host` for what it sends to the host,
/// `egress_answers` for what comes back of flows that it began, `asking` for where its questions go.
BERTH_DECL std::string egress_chains(const egress_policy& policy, std::string_view link);

}  // namespace detail

/// `nft -f` text that puts another policy in the place of the one that the sandbox's table has, `before`, in one transaction. What
/// the sandbox has open is held to it from the next packet on. Of names in both, the addresses that were found are kept.
BERTH_DECL std::string nft_egress_change(std::string_view table, std::string_view link, const egress_policy& policy,
                                         const egress_policy& before);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/egress.ipp>
#endif
