// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/network/address.hpp>
#include <berth/network/host_ports.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace berth {
namespace detail {

inline error bad_host_port(std::string_view word, std::string_view why) {
  return make_error(errc::invalid, "network",
                    "the port of this host '" + std::string(word.substr(0, 64)) + "' " + std::string(why), "host_ports",
                    "write [ADDRESS:]PORT, as 5000 or 192.0.2.7:5000, where ADDRESS is one of this host's own");
}

}  // namespace detail

BERTH_DECL std::string host_port::word() const {
  return (address == 0 ? "" : format_ipv4(address) + ":") + std::to_string(port);
}

BERTH_DECL result<host_port> parse_host_port(std::string_view word) {
  host_port out;
  const std::size_t colon = word.rfind(':');
  const auto port = parse_number<std::uint16_t>(word.substr(colon == std::string_view::npos ? 0 : colon + 1));
  if (!port || *port == 0) return detail::bad_host_port(word, "names no port from 1 to 65535");
  out.port = *port;
  if (colon == std::string_view::npos) return out;
  const auto address = parse_ipv4(word.substr(0, colon));
  if (!address || *address == 0) return detail::bad_host_port(word, "has no IPv4 address before the port");
  if (*address >> 24 == 127)
    return detail::bad_host_port(word, "is of a loopback address, which nothing reaches from a sandbox");
  out.address = *address;
  return out;
}

BERTH_DECL result<std::vector<host_port>> parse_host_ports(const std::vector<std::string>& words) {
  std::vector<host_port> out;
  for (const std::string& word : words) {
    auto port = parse_host_port(word);
    if (!port) return std::move(port).error();
    if (std::find(out.begin(), out.end(), *port) == out.end()) out.push_back(*port);
  }
  if (out.size() > most_host_ports)
    return make_error(errc::invalid, "network", "more than " + std::to_string(most_host_ports) + " ports of this host",
                      "host_ports");
  return out;
}

BERTH_DECL result<void> check_host_addresses(const std::vector<host_port>& ports) {
  for (const host_port& one : ports) {
    if (one.address == 0) continue;
    const unique_fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(one.address);
    if (socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) continue;
    if (errno != EADDRNOTAVAIL)
      return errno_error(errno, "network", "cannot look whether this host has an address", one.word());
    return make_error(errc::not_found, "network", "this host has no address " + format_ipv4(one.address), one.word(),
                      "name one of its own addresses");
  }
  return {};
}

namespace detail {

BERTH_DECL std::string host_port_rules(const std::vector<host_port>& ports, std::string_view link,
                                       std::string_view gateway) {
  std::string text;
  for (const host_port& one : ports)
    text += "    iifname " + std::string(link) + " ip daddr " +
            (one.address == 0 ? std::string(gateway) : format_ipv4(one.address)) + " tcp dport " +
            std::to_string(one.port) + " goto opened\n";
  return text;
}

}  // namespace detail

}  // namespace berth
