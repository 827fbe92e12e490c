// SPDX-License-Identifier: Apache-2.0
// By which ports a sandbox is reached: those of the host's that lead to it, and its own that its containers publish.
#pragma once

#include <berth/base/json_writer.hpp>
#include <berth/network/published.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// A container in the sandbox, and the ports of the sandbox that lead to it. What the sandbox says: hostile.
struct container_ports {
  std::string container;  ///< its id in Docker
  std::string name;       ///< in Docker
  std::vector<std::string>
      ports;  ///< "0.0.0.0:8080:80/tcp", "[::]:53:53/udp": address and port of the sandbox, port inside
};

struct sandbox_ports {
  std::vector<published_port> published;    ///< of the host's, that lead to the sandbox
  std::vector<container_ports> containers;  ///< those that publish any; none where Docker is not ready
};

/// {"ports":["127.0.0.1:8080:80/tcp"],"containers":[{"container","name","ports":["0.0.0.0:80:80/tcp"]}]}; "ports" as in a status.
BERTH_DECL void write_json(json_writer& to, const sandbox_ports& ports);

/// Reads a line for each container, "ID\tNAME\tPORTS", the last as `docker ps` has it: "0.0.0.0:8080-8081->80-81/tcp, 443/tcp".
/// What is none is passed over, and so is what goes beyond 4096 containers or 4096 ports of one.
BERTH_DECL std::vector<container_ports> parse_container_ports(std::string_view text);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/ports.ipp>
#endif
