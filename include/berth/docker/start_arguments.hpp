// SPDX-License-Identifier: Apache-2.0
// What berth-init is told when it is to prepare a sandbox for dockerd and then become it.
#pragma once

#include <berth/base/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// The call of berth-init that starts dockerd, as values: written by the host into an argument vector, read by the guest.
struct docker_start_arguments {
  /// What stands before runc inside. plain: nothing, runc is called as it is. guest: berth-init. unmasking: berth-init, which
  /// also takes the masked directories out of a container's spec.
  enum class runtime { plain, guest, unmasking };

  std::string device;   ///< the sandbox's way out; empty: its default route's
  std::string address;  ///< its IPv4 address; empty: what the device has
  bool mtu = true;      ///< whether dockerd is to be given the device's MTU (`--mtu`)
  bool snat = true;     ///< whether nested containers reach the outside
  std::string data_root = "/var/lib/docker";
  runtime before_runc = runtime::guest;
  std::vector<std::string> dockerd;  ///< the program, by name or path, and its arguments; not empty
};

/// The verb of berth-init.
inline constexpr std::string_view docker_start_verb = "start-docker";

/// The argument vector, from `program` (berth-init as seen inside) on. Pure.
BERTH_DECL std::vector<std::string> format_docker_start(std::string_view program, const docker_start_arguments& what);

/// What format_docker_start wrote, from behind the verb on. Pure. Errors: invalid, with the argument.
BERTH_DECL result<docker_start_arguments> parse_docker_start(const std::vector<std::string>& args);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/start_arguments.ipp>
#endif
