// SPDX-License-Identifier: Apache-2.0
// Docker's links: its bridges, and what joins its containers to them. A sandbox that is restored from a checkpoint has a fresh
// network stack in their place (gVisor's Stack::ReplaceConfig, release-20260701.0), so that the guest remembers them and makes
// them anew, under the same names and addresses: dockerd and its containers do not notice. The sandbox that goes on keeps its
// bridges, and gets the rest anew as well.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace berth::guest {

struct link_address {
  std::string ip;
  unsigned prefix = 0;
};

struct link_state {
  std::string name;
  std::string mac;
  unsigned mtu = 0;
  std::vector<link_address> addresses;
};

/// A network namespace of a container's.
struct container_links {
  pid_t pid = 0;  ///< of a process in it
  std::vector<link_state> links;
  std::string gateway;  ///< of its default route, empty where it has none
  std::string cut_off;  ///< the container's id where it does not get through a restore: docker_containers.hpp
  bool goes_when_stopped = false;  ///< of one that is cut off: `docker run --rm`
};

struct docker_links {
  std::vector<link_state> bridges;
  std::vector<container_links> containers;
};

/// The bridge in whose network the link has an address, or null. Pure.
const link_state* bridge_of(const docker_links& all, const link_state& link);

/// What there is now. What cannot be read is left out.
docker_links read_docker_links();

/// Removes what joins the containers to the bridges. gVisor cannot save a bridge that has learned where a container is
/// (BridgeFDBEntry has no SaverLoader, release-20260905.0), which a container's first packet teaches it; with the link that is
/// forgotten. What failed comes as text, for people.
std::string cut_docker_links(const docker_links& all);

/// What `ip -batch` is to do: in the sandbox's own network namespace first, then in each container's.
struct link_plan {
  std::string own;
  struct inside {
    pid_t pid = 0;
    std::string batch;
  };
  std::vector<inside> containers;
};
/// Pure. `present`: the names of the links that are there already; `own_address`: the sandbox's address of before, which its
/// bridges had beside their own.
link_plan plan_docker_links(const docker_links& before, const std::vector<std::string>& present,
                            const std::string& own_address);

/// Makes them, as far as they can be made; what failed comes as text, for people.
std::string make_docker_links(const docker_links& before, const std::string& own_address);

}  // namespace berth::guest
