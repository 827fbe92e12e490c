// Finding the sandbox that a verb is about, and what is to be known of it.
#pragma once

#include "options.hpp"
#include "status_file.hpp"

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
  std::string state;                     ///< "running" …, "damaged", or "unknown" when runsc could not be asked
  std::optional<status_report> status;   ///< where one of berth's commands keeps it
  std::optional<bool> rules;             ///< whether the nft table that isolates it is there, where that was asked
};
boost::asio::awaitable<sandbox_view> view_sandbox(environment where, sandbox_record record);

/// One word for the Docker column: "ready", "starting", …, "-" for a sandbox without.
std::string docker_word(const sandbox_view& view);

json view_json(const sandbox_view& view);

/// A socket in the shared directory, hostile ground: there, a socket, and no symlink. Gives its path.
/// Errors: not_found with what to do, hostile.
result<std::string> check_docker_socket(const sandbox& box);

/// Waits until Docker answers on the socket, or cannot come up any more.
/// Errors: daemon_not_ready (exit code 3), daemon_failed and the like with what its keeper reported, state when the
/// sandbox has no Docker, sandbox_not_running.
boost::asio::awaitable<result<void>> wait_for_docker(std::shared_ptr<sandbox> box, duration limit);

}  // namespace berth::cli
