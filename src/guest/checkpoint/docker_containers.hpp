// SPDX-License-Identifier: Apache-2.0
// Containers that do not get through a checkpoint by themselves. In a copy gVisor gives their network namespaces fresh stacks, to
// which their open sockets do not belong (inet.Namespace.afterLoad, release-20260905.0), and in the sandbox that goes on it leaves
// these frozen: a server in one hears nobody any more, and neither does dockerd's resolver in one on a user network. Docker is asked
// to restart those.
#pragma once

#include "docker_links.hpp"

#include <string>
#include <string_view>

namespace berth::guest {

/// The id of Docker's container in a /proc/PID/cgroup, or nothing. Pure.
std::string container_of_cgroups(std::string_view text);

/// Sets container_links::cut_off of those that have such sockets.
void mark_cut_off_containers(docker_links& running);

/// Has Docker restart them, beside whatever else goes on: stopping has `patience` seconds. What fails is in dockerd's log.
void restart_cut_off_containers(const docker_links& before, int patience = 3);

}  // namespace berth::guest
