// SPDX-License-Identifier: Apache-2.0
// Asking dockerd whether it answers.
#pragma once

#include <berth/process/executor.hpp>
#include <berth/readiness/notify.hpp>
#include <berth/readiness/probe.hpp>

#include <memory>
#include <string>

namespace berth {

/// GET /_ping over a socket as this host reaches it. The socket lies on hostile ground and is opened as such.
BERTH_DECL std::unique_ptr<probe> make_docker_ping_probe(std::string host_socket);

/// The same, asked once `notices` has told that dockerd is ready, and every half a second before that. Borrowed.
BERTH_DECL std::unique_ptr<probe> make_notified_ping_probe(notify_socket& notices, std::string socket);

/// `docker info` by a command inside, on the socket `inside`; some 50 to 100 ms each. The level "socket exists" is told
/// apart. Needs sh and the docker client there: without the client it is fatal. The executor is borrowed.
BERTH_DECL std::unique_ptr<probe> make_docker_info_probe(executor& where, std::string inside);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/daemon_probe.ipp>
#endif
