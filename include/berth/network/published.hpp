// SPDX-License-Identifier: Apache-2.0
// Ports of the host that lead to a sandbox: pure values, and the rules that make them.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// One port of the host's and where it leads. What listens there in the sandbox is the sandbox's matter: a program of its own,
/// or Docker's published port (`docker run -p`).
struct published_port {
  std::uint32_t host_address = 0x7f000001;  ///< IPv4 in host byte order; 0: all addresses of the host
  std::uint16_t host_port = 0;
  std::uint16_t port = 0;  ///< of the sandbox's address
  bool udp = false;        ///< else TCP

  BERTH_DECL std::string word() const;  ///< as parse_published_port takes it: "127.0.0.1:8080:80/tcp"
  /// Whether both cannot be had at once.
  BERTH_DECL bool meets(const published_port& other) const noexcept;
  friend bool operator==(const published_port&, const published_port&) = default;
};

inline constexpr std::size_t most_published_ports = 64;

/// Reads `[ADDRESS:]HOST-PORT:PORT[/tcp|/udp]`, or one port that is both. ADDRESS is an IPv4 address of the host: 127.0.0.1
/// where none is named, 0.0.0.0 for all. Errors: invalid, with the word in the message.
BERTH_DECL result<published_port> parse_published_port(std::string_view word);
/// A list of them, of which no two meet. Errors: the same.
BERTH_DECL result<std::vector<published_port>> parse_published_ports(const std::vector<std::string>& words);

/// Whether nothing on the host has one of them: it is tried by binding it, for a moment. Errors: exists, with the port;
/// not_found (the host has no such address).
BERTH_DECL result<void> check_host_ports_free(const std::vector<published_port>& ports);

namespace detail {
/// Of the table of family inet: the chains that redirect what comes to the host's ports, from elsewhere and from the host
/// itself, to `address` behind `link`.
BERTH_DECL std::string published_chains(const std::vector<published_port>& ports, std::string_view link,
                                        std::string_view address);
}  // namespace detail

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/published.ipp>
#endif
