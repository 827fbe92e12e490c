// SPDX-License-Identifier: Apache-2.0
// A rule of an egress policy that has a name in it. Which addresses a name has is found out by berth itself, which answers the
// sandbox's questions (src/guest/host/names.hpp), and is put into nftables sets of the rule before the answer goes out.
// Pure values.
#pragma once

#include <berth/base/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

enum class egress_protocol {
  any,  ///< ICMP and all others too
  tcp,
  udp,
};

/// A name that may be reached, and by what.
struct egress_name {
  std::string name;    ///< in lower case, internationalised ones in punycode, without a dot at the end
  bool below = false;  ///< all names below it, at any depth, and not itself: "*.example.com"
  egress_protocol protocol = egress_protocol::any;
  std::uint16_t first_port = 0;  ///< 0: every port; else with the protocol tcp or udp
  std::uint16_t last_port = 0;

  BERTH_DECL std::string to_string() const;  ///< "example.com:443/tcp", "*.example.com"
  /// `asked` in lower case, without a dot at the end.
  BERTH_DECL bool matches(std::string_view asked) const;
  /// The set, in the sandbox's table of family inet, of the addresses that the name has now: connections may begin to them.
  BERTH_DECL std::string fresh_set() const;
  /// The set of those that connections were begun to, which go on when the name has other addresses.
  BERTH_DECL std::string open_set() const;
  friend bool operator==(const egress_name&, const egress_name&) = default;
};

/// In a sandbox's table of family inet: the map that leads from port 53 to the port where berth answers the sandbox's questions,
/// and the set that has this port. Empty while nobody answers.
inline constexpr std::string_view resolver_map = "resolver";
inline constexpr std::string_view resolver_port_set = "resolver_port";

/// Addresses that one rule lets through at a time; more are not answered.
inline constexpr std::size_t most_name_addresses = 4096;
/// How long an address of a name's is let through at least: longer than programs keep it, as most keep it too long.
inline constexpr std::chrono::seconds shortest_name_time{300};
inline constexpr std::chrono::seconds longest_name_time{24 * 3600};

/// An address that a sandbox may begin connections to, since a name has it.
struct named_address {
  std::string name;     ///< that was asked for
  std::string address;  ///< IPv4
  std::string rule;     ///< that allows it
  std::chrono::seconds left{0};
  friend bool operator==(const named_address&, const named_address&) = default;
};

/// A name that the sandbox asked for and that no rule allows.
struct refused_name {
  std::string name;
  std::uint64_t questions = 0;
  std::chrono::seconds ago{0};  ///< since the last of them
  friend bool operator==(const refused_name&, const refused_name&) = default;
};

/// Of `nft list table`, for these rules; leaves out what it cannot read.
BERTH_DECL std::vector<named_address> parse_named_addresses(std::string_view table,
                                                            const std::vector<egress_name>& rules);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/egress_name.ipp>
#endif
