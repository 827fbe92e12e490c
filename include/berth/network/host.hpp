// SPDX-License-Identifier: Apache-2.0
// What berth must know of the host's network before it adds to it. Reads only.
#pragma once

#include <berth/network/address.hpp>
#include <berth/network/plan.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth {

struct host_network {
  std::string uplink;             ///< the interface of the default route, or empty
  int mtu = 1500;                 ///< the uplink's
  bool ipv6 = true;               ///< the kernel has it and it is not switched off (ipv6.disable=1)
  std::vector<ipv4_subnet> used;  ///< addresses and routes of the host, default routes left out
};

/// Reads the network namespace of the calling thread. Blocking, but never for long. Thread-safe. Errors: io.
BERTH_DECL result<host_network> read_host_network();

/// The subnets of a /proc/net/route text, and the interface of its best default route. Pure; lines that cannot be read
/// are passed over.
struct route_table {
  std::vector<ipv4_subnet> subnets;
  std::string default_interface;
};
BERTH_DECL route_table parse_route_table(std::string_view text);

/// Name server configuration for a sandbox out of this host's files (see make_resolver_config). Never fails: a file
/// that cannot be read counts as empty.
BERTH_DECL resolver_config read_resolver_config();

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/host.ipp>
#endif
