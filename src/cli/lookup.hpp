// SPDX-License-Identifier: Apache-2.0
// Finding the sandbox that a verb is about, and what is to be known of it.
#pragma once

#include "options.hpp"
#include "run_note.hpp"

#include <berth/docker/guest_daemon.hpp>
#include <berth/docker/managed.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace berth::cli {

/// The sandbox of this id. The error of one that is not there has the layer "cli" and the code not_found, which
/// `fail_lookup` turns into exit_not_found.
result<std::shared_ptr<sandbox>> find_sandbox(const environment& where, const std::string& id);
int fail_lookup(const error& e, const invocation& call);

/// Everything about one sandbox, gathered by asking runsc and reading the files.
struct sandbox_view {
  sandbox_record record;
  std::string state;                  ///< "running" …, "damaged", or "unknown" when it could not be found out
  std::optional<run_note> note;       ///< where `berth run` made it
  std::optional<guest_status> guest;  ///< what its guest keeps, where it was asked to
  std::optional<bool> rules;          ///< whether the nft tables that isolate it are there, where that was asked
  std::optional<std::uint64_t> refused_connections;  ///< for its limit of connections, where that was asked
  std::optional<std::uint64_t> refused_egress;       ///< packets that its egress policy refused, where that was asked
};
/// One that does not answer within `patience` is "unresponsive".
boost::asio::awaitable<sandbox_view> view_sandbox(environment where, sandbox_record record,
                                                  duration patience = seconds(1));

/// Whether the sandbox has, or is to have, a dockerd that its guest keeps.
bool wants_docker(const sandbox_view& view);

/// One word for the Docker column: "ready", "starting", …, "-" for a sandbox without.
std::string docker_word(const sandbox_view& view);

/// "none", "waiting", "running" or "exited".
std::string command_state(const sandbox_view& view);

json view_json(const sandbox_view& view);

/// A socket in the shared directory, hostile ground: there, a socket, and no symlink. Gives its path.
/// Errors: not_found with what to do, hostile.
result<std::string> check_docker_socket(const sandbox& box);

/// Waits until Docker is ready, or cannot come up any more; what its guest logs goes to `log`. Of a sandbox whose Docker a
/// program on the host supervises, the socket is asked. Errors: daemon_not_ready (exit code 3), daemon_failed and the like with
/// what the guest reported, state when the sandbox has no Docker, sandbox_not_running.
boost::asio::awaitable<result<void>> wait_for_docker(std::shared_ptr<sandbox> box, duration limit, log_sink log = {});

}  // namespace berth::cli
