// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/network/address.hpp>
#include <berth/network/published.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace berth {

namespace detail {

inline error bad_published_port(std::string_view word, std::string_view why) {
  return make_error(errc::invalid, "network",
                    "the published port '" + std::string(word.substr(0, 64)) + "' " + std::string(why), "ports",
                    "write [ADDRESS:]HOST-PORT:PORT[/tcp|/udp], as 8080:80 or 0.0.0.0:8080:80");
}

inline const char* protocol_of(const published_port& port) { return port.udp ? "udp" : "tcp"; }

}  // namespace detail

BERTH_DECL std::string published_port::word() const {
  return format_ipv4(host_address) + ":" + std::to_string(host_port) + ":" + std::to_string(port) + "/" +
         detail::protocol_of(*this);
}

BERTH_DECL bool published_port::meets(const published_port& other) const noexcept {
  return udp == other.udp && host_port == other.host_port &&
         (host_address == other.host_address || host_address == 0 || other.host_address == 0);
}

BERTH_DECL result<published_port> parse_published_port(std::string_view word) {
  published_port out;
  std::string_view rest = word;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view protocol = rest.substr(slash + 1);
    if (protocol != "tcp" && protocol != "udp") return detail::bad_published_port(word, "is of neither tcp nor udp");
    out.udp = protocol == "udp";
    rest = rest.substr(0, slash);
  }
  const std::size_t last = rest.rfind(':');
  const auto inside = parse_number<std::uint16_t>(rest.substr(last == std::string_view::npos ? 0 : last + 1));
  if (!inside || *inside == 0) return detail::bad_published_port(word, "leads to no port from 1 to 65535");
  out.port = out.host_port = *inside;
  if (last == std::string_view::npos) return out;
  rest = rest.substr(0, last);
  const std::size_t colon = rest.rfind(':');
  const auto outside = parse_number<std::uint16_t>(rest.substr(colon == std::string_view::npos ? 0 : colon + 1));
  if (!outside || *outside == 0) return detail::bad_published_port(word, "has no port of the host's from 1 to 65535");
  out.host_port = *outside;
  if (colon == std::string_view::npos) return out;
  const auto address = parse_ipv4(rest.substr(0, colon));
  if (!address) return detail::bad_published_port(word, "has no IPv4 address before the ports");
  out.host_address = *address;
  return out;
}

BERTH_DECL result<std::vector<published_port>> parse_published_ports(const std::vector<std::string>& words) {
  std::vector<published_port> out;
  for (const std::string& word : words) {
    auto port = parse_published_port(word);
    if (!port) return std::move(port).error();
    for (const published_port& other : out)
      if (port->meets(other)) return detail::bad_published_port(word, "meets " + other.word());
    out.push_back(*port);
  }
  if (out.size() > most_published_ports)
    return make_error(errc::invalid, "network",
                      "more than " + std::to_string(most_published_ports) + " published ports", "ports",
                      "reach the others by the sandbox's own address");
  return out;
}

BERTH_DECL result<void> check_host_ports_free(const std::vector<published_port>& ports) {
  for (const published_port& port : ports) {
    const unique_fd socket(::socket(AF_INET, (port.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    if (!socket) return errno_error(errno, "network", "cannot look whether a port of the host's is free", port.word());
    // What is left of connections that are over is in nobody's way.
    const int on = 1;
    if (!port.udp) (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port.host_port);
    place.sin_addr.s_addr = htonl(port.host_address);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0) continue;
    if (errno == EADDRINUSE)
      return make_error(errc::exists, "network",
                        "the port " + std::to_string(port.host_port) + " of this host is in use", port.word(),
                        "publish another port of the host, or end what listens there");
    if (errno == EADDRNOTAVAIL)
      return make_error(errc::not_found, "network", "this host has no address " + format_ipv4(port.host_address),
                        port.word(), "name one of its own addresses, or 0.0.0.0 for all of them");
    return errno_error(errno, "network", "cannot look whether a port of the host's is free", port.word());
  }
  return {};
}

namespace detail {

BERTH_DECL std::string published_chains(const std::vector<published_port>& ports, std::string_view link,
                                        std::string_view address) {
  if (ports.empty()) return {};
  std::string rules;
  for (const published_port& port : ports) {
    rules +=
        port.host_address == 0 ? "    fib daddr type local " : "    ip daddr " + format_ipv4(port.host_address) + " ";
    rules += std::string(protocol_of(port)) + " dport " + std::to_string(port.host_port) + " dnat ip to " +
             std::string(address) + ":" + std::to_string(port.port) + "\n";
  }
  std::string text;
  // Of the sandbox's own packets none: it does not reach the host.
  text += "  chain published {\n    type nat hook prerouting priority dstnat; policy accept;\n    iifname " +
          std::string(link) + " accept\n" + rules + "  }\n";
  text += "  chain published_here {\n    type nat hook output priority -100; policy accept;\n" + rules + "  }\n";
  return text;
}

}  // namespace detail

}  // namespace berth
