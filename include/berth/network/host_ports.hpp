// SPDX-License-Identifier: Apache-2.0
// Ports of the host itself that a sandbox may reach: pure values, and the rules that let it.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// A TCP port at one address of the host's.
struct host_port {
  std::uint32_t address = 0;  ///< IPv4 in host byte order; 0: the sandbox's gateway, the host's end of its link
  std::uint16_t port = 0;

  BERTH_DECL std::string word() const;  ///< as parse_host_port takes it
  friend bool operator==(const host_port&, const host_port&) = default;
};

inline constexpr std::size_t most_host_ports = 64;

/// Reads `[ADDRESS:]PORT`. Errors: invalid, with the word in the message.
BERTH_DECL result<host_port> parse_host_port(std::string_view word);
/// A list of them. Errors: the same.
BERTH_DECL result<std::vector<host_port>> parse_host_ports(const std::vector<std::string>& words);

/// Whether the host has these addresses. Errors: not_found, with the word.
BERTH_DECL result<void> check_host_addresses(const std::vector<host_port>& ports);

namespace detail {
/// Of the chain that what comes to the host from behind `link` goes through.
BERTH_DECL std::string host_port_rules(const std::vector<host_port>& ports, std::string_view link,
                                       std::string_view gateway);
}  // namespace detail

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/host_ports.ipp>
#endif
