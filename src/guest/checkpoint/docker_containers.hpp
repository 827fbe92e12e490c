// SPDX-License-Identifier: Apache-2.0
// Containers that do not get through a checkpoint by themselves. In a copy gVisor gives their network namespaces fresh stacks, to
// which their open sockets do not belong (inet.Namespace.afterLoad, release-20260905.0), and in the sandbox that goes on it leaves
// these frozen: a server in one hears nobody any more, and neither does dockerd's resolver in one on a user network. Docker is asked
// to stop those before and to start them afterwards: their connections, which could keep a restore waiting
// (keeps_restore_waiting), are over by then. One that goes when it is stopped (`docker run --rm`) is restarted afterwards.
#pragma once

#include "docker_links.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

/// The id of Docker's container in a /proc/PID/cgroup, or nothing. Pure.
std::string container_of_cgroups(std::string_view text);

/// Sets container_links::cut_off of those that have such sockets, and asks Docker about each. `before`: those that had them at the
/// last checkpoint, and may be about to have them again. Gives the ids of all.
std::vector<std::string> mark_cut_off_containers(docker_links& running, const std::vector<std::string>& before);

/// How long each has to stop.
inline constexpr int stop_patience_s = 3;

/// Stops them, but for those that would go, and waits for that. Gives the ids of those that are stopped.
std::vector<std::string> stop_cut_off_containers(const docker_links& running);

/// Has Docker start these, and restart those that are cut off and run, beside whatever else goes on. What fails is in dockerd's log.
/// Gives the processes of this one's that ask for it, and end when it is done.
std::vector<pid_t> begin_containers_again(const std::vector<std::string>& stopped, const docker_links& running);

/// Waits for those, ten seconds at most: what dockerd has half made is not to be saved.
void wait_for_containers(const std::vector<pid_t>& beginning);

}  // namespace berth::guest
