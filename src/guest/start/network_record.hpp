// SPDX-License-Identifier: Apache-2.0
// What dockerd's start knows of the sandbox's network, on disk for who follows the bridges and for who sets the network up again
// in a sandbox that was restored.
#pragma once

#include "start/firewall.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace berth::guest {

struct network_record {
  firewall rules;        ///< `iptables` is empty where the root file system has none
  std::string networks;  ///< Docker's own record, local-kv.db
  pid_t dockerd = 0;
};

/// Pure, each other's inverse. False where these are no such lines.
std::string format_network_record(const network_record& what);
bool parse_network_record(std::string_view text, network_record& to);

/// Of the running dockerd; an empty one where there is none.
network_record read_network_record();
/// False where it cannot be written.
bool write_network_record(const network_record& what);

}  // namespace berth::guest
