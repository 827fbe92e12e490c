// SPDX-License-Identifier: Apache-2.0
// What an earlier dockerd left in the sandbox: pid files, its containerd, sockets, bridges. Told by markers as it is removed.
#pragma once

#include "start/say.hpp"

#include <sys/types.h>

#include <string>

namespace berth::guest {

/// Ends a dockerd whose pid is `lost`, one of ours whose keeper was killed, and any containerd without its dockerd: a new
/// dockerd would adopt that by its pid file, and in gVisor it no longer accepts connections once the streams that its dockerd
/// was given are gone ("timeout waiting for containerd to start" after 15 s, release-20260701.0). False where a dockerd that is
/// not ours runs: a marker tells it, and nothing was changed after that.
bool clear_processes(pid_t lost, const start_markers& tell);

/// Removes docker0 and Docker's other bridges where docker0 is there: gVisor does not tell a new dockerd that they are bridges,
/// and it would end with "existing interface docker0 is not a bridge". For the same reason its record of the default bridge
/// (`networks`, local-kv.db) must not bring docker0 back before the new one is made: under another name of the same length,
/// dockerd skips that record with a warning, and keeps all other networks.
void clear_bridges(const std::string& networks, const start_markers& tell);

/// The content of a local-kv.db with the record of docker0 renamed. Pure. False where there is none.
bool rename_default_bridge(std::string& content);

}  // namespace berth::guest
