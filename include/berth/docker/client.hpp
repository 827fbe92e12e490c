// SPDX-License-Identifier: Apache-2.0
// The docker client: run in the sandbox, or on this host against the sandbox's socket.
#pragma once

#include <berth/process/executor.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace berth {

/// `docker ARGS…` as a command inside. `socket` empty: the client's default.
BERTH_DECL command docker_client_command(std::vector<std::string> args, const std::string& socket = {});

/// Runs the client inside and collects what it prints. A client that fails is docker_failed, with its words as detail
/// and the remedy where the symptom is a known one; that is an error here, other than in run_command.
BERTH_DECL boost::asio::awaitable<result<command_result>> run_docker(executor& where, std::vector<std::string> args,
                                                                     time_point deadline = time_point::max());

/// Looks at a daemon's socket in a shared directory before a client of the host is pointed at it. The path may still be
/// exchanged afterwards, but on berth's own mounts no symlink there can be followed. Errors: not_found, hostile (not a
/// socket), io.
BERTH_DECL result<void> check_host_socket(const std::string& path);

/// "unix://" + path, for DOCKER_HOST.
BERTH_DECL std::string docker_host_value(const std::string& path);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/client.ipp>
#endif
