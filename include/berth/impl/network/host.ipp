// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/network/host.hpp>
#include <berth/network/plan.hpp>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace berth {

namespace detail {

inline int interface_mtu(const std::string& name) {
  const unique_fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  if (!fd || name.empty() || name.size() >= sizeof request.ifr_name) return 1500;
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  return ::ioctl(fd.get(), SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0 ? request.ifr_mtu : 1500;
}

inline std::uint32_t ipv4_of(const sockaddr* address) {
  sockaddr_in in{};
  std::memcpy(&in, address, sizeof in);
  return ntohl(in.sin_addr.s_addr);
}

}  // namespace detail

BERTH_DECL route_table parse_route_table(std::string_view text) {
  route_table table;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::getline(lines, line);  // the heading
  std::uint64_t best_metric = ~std::uint64_t{0};
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name, ignored;
    std::uint32_t destination = 0, mask = 0;
    std::uint64_t flags = 0, metric = 0;
    // Iface Destination Gateway Flags RefCnt Use Metric Mask: addresses are hexadecimal in memory order.
    if (!(words >> name >> std::hex >> destination >> ignored >> flags >> std::dec >> ignored >> ignored >> metric >>
          std::hex >> mask)) {
      continue;
    }
    if (mask == 0) {
      if (destination == 0 && metric < best_metric) {
        best_metric = metric;
        table.default_interface = name;
      }
      continue;
    }
    const ipv4_subnet subnet{ntohl(destination), std::popcount(mask)};
    table.subnets.push_back(subnet);
  }
  return table;
}

BERTH_DECL result<host_network> read_host_network() {
  host_network host;
  const route_table routes = parse_route_table(read_system_file("/proc/thread-self/net/route"));
  host.used = routes.subnets;
  host.uplink = routes.default_interface;
  host.mtu = detail::interface_mtu(host.uplink);
  host.ipv6 = ::access("/proc/sys/net/ipv6", F_OK) == 0 || errno != ENOENT;

  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return errno_error(errno, "network", "cannot list the host's addresses");
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET || entry->ifa_netmask == nullptr) continue;
    ipv4_subnet subnet;
    subnet.prefix = std::popcount(detail::ipv4_of(entry->ifa_netmask));
    subnet.address = detail::ipv4_of(entry->ifa_addr) & subnet.mask();
    host.used.push_back(subnet);
  }
  ::freeifaddrs(list);
  return host;
}

BERTH_DECL resolver_config read_resolver_config() {
  return make_resolver_config(read_system_file("/etc/resolv.conf"),
                              read_system_file("/run/systemd/resolve/resolv.conf"));
}

}  // namespace berth
