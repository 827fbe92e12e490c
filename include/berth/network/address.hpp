// SPDX-License-Identifier: Apache-2.0
// IPv4 addresses and the subnets that sandboxes get: pure values.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// An IPv4 subnet; the address in host byte order, with the bits behind the prefix zero.
struct ipv4_subnet {
  std::uint32_t address = 0;
  int prefix = 32;  ///< 0..32

  std::uint32_t mask() const noexcept { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
  bool contains(std::uint32_t ip) const noexcept { return (ip & mask()) == address; }
  bool overlaps(const ipv4_subnet& other) const noexcept { return contains(other.address) || other.contains(address); }
  /// The n-th address of the subnet in dotted form.
  BERTH_DECL std::string host(std::uint32_t n) const;
  BERTH_DECL std::string to_string() const;  ///< "10.211.0.0/16"
  friend bool operator==(const ipv4_subnet&, const ipv4_subnet&) = default;
};

/// Dotted quad to host byte order. No leading zeros, no short forms.
BERTH_DECL std::optional<std::uint32_t> parse_ipv4(std::string_view text);
BERTH_DECL std::string format_ipv4(std::uint32_t address);

/// "10.211.0.0/16"; bits behind the prefix are refused. Errors: invalid.
BERTH_DECL result<ipv4_subnet> parse_ipv4_subnet(std::string_view text);

/// The first /30 of `pool` behind `last` (an address, the one given before) that overlaps none of `used`, else the first
/// one of the pool that does not. A /30 serves one sandbox: .1 is the host's end, .2 the sandbox's. Errors: invalid (the
/// pool is smaller than a /30), again (the pool is used up).
BERTH_DECL result<ipv4_subnet> allocate_subnet(const ipv4_subnet& pool, std::vector<ipv4_subnet> used,
                                               std::optional<std::uint32_t> last = std::nullopt);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/address.ipp>
#endif
