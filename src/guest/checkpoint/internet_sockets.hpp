// SPDX-License-Identifier: Apache-2.0
// The TCP and UDP sockets that processes have open, and which of them a restored sandbox would wait for without end.
#pragma once

#include "docker_links.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

/// A line of /proc/net/tcp or the like.
struct internet_socket {
  std::string inode;
  unsigned port = 0;   ///< its own; 0 where it has none yet
  unsigned state = 0;  ///< TCP_ESTABLISHED and so on; what is no TCP socket has a number as well
  bool tcp = false;
  bool of_resolver = false;  ///< at 127.0.0.11: dockerd has it open, in a container's network namespace
};

struct open_socket {
  pid_t pid = 0;
  std::string space;  ///< the process's network namespace, which may be another than the socket's
  internet_socket socket;
};

/// Pure.
std::vector<internet_socket> parse_socket_table(std::string_view table, bool tcp);

/// Of all network namespaces, each as often as there are processes that have it open.
std::vector<open_socket> open_internet_sockets();

/// One of the sandbox's own that gVisor would restore only after sockets of containers' network namespaces, which it does not
/// restore: a listening one after connections, one that is bound or connects after listening ones too (tcp.Endpoint.loadState
/// and Restore, Kernel.LoadFrom, release-20260905.0). Null where there is none. `own`: the sandbox's network namespace.
/// `unseen`: connections are taken to be there that no process has open: what has closed one first waits a minute (TIME_WAIT). Pure.
const open_socket* keeps_restore_waiting(const std::vector<open_socket>& all, std::string_view own, bool unseen);

/// What stands against saving it once its published ports are given up and the containers are stopped that can be: in words for
/// people, empty where nothing does. `running`: with what is cut off. `for_good`: this sandbox ends when it is saved, so that what
/// cannot be seen matters. `ports_before`: it was restored from what was saved with published ports, of whose connections gVisor
/// may have kept bound sockets that nobody has open (tcp.Endpoint.Restore, where the bridge is not there yet).
std::string what_keeps_restore_waiting(const docker_links& running, bool for_good, bool ports_before);

}  // namespace berth::guest
