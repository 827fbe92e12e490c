// SPDX-License-Identifier: Apache-2.0
// Keeps docker-proxy, by which Docker's published ports are served: called as `docker-proxy`, it runs the real one as its child.
// The guest can have it end that, and begin another, without dockerd's seeing anything. A sandbox that has a listening TCP socket
// in its own network namespace and a connection in a container's is saved, and never restored: runsc waits for the connection
// before it restores the listener, and restores no other network stack than the sandbox's own (tcp.Endpoint.loadState,
// Kernel.LoadFrom, release-20260905.0).
#pragma once

namespace berth::guest {

// Its names in /proc/PID/comm, by which the guest sees how far it is. Before the first it is as dockerd started it.
inline constexpr const char* port_proxy_name = "port-proxy";
inline constexpr const char* port_proxy_away_name = "port-proxy-away";  ///< without the real one

/// SIGUSR1 ends the real one, SIGUSR2 begins another; to dockerd's signals it does as the real one does. Returns its exit code.
int run_port_proxy(int argc, char** argv);

}  // namespace berth::guest
