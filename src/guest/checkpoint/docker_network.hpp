// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

/// What dockerd's start left in /run/berth-docker/network.args for whoever sets its network up again: a line each.
struct docker_network_args {
  std::string iptables;  ///< the program
  std::string snat;      ///< "1" or "0"
  std::string device, address, outside, networks;
  std::string dockerd;  ///< its pid
};
/// False where these are no such lines.
bool parse_docker_network_args(std::string_view text, docker_network_args& to);

/// The same of the running dockerd's; `iptables` is empty where it has none.
docker_network_args read_docker_network_args();

/// Loads the rules of a restored sandbox, which starts without any, for its new address, and begins to follow the bridges by
/// that. What failed comes as text, for people.
std::string set_up_docker_network(docker_network_args args, const std::string& address);

}  // namespace berth::guest
