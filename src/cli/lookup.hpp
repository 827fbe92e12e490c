// SPDX-License-Identifier: Apache-2.0
// Finding the sandbox that a verb is about.
#pragma once

#include "options/options.hpp"

#include <berth/managed/docker_sandbox.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace berth::cli {

/// The sandbox of this id. The error of one that is not there has the layer "cli" and the code not_found, which
/// `fail_lookup` turns into exit_not_found.
result<std::shared_ptr<sandbox>> find_sandbox(const environment& where, const std::string& id);
int fail_lookup(const error& e, const invocation& call);

/// look_at, where one that cannot be looked at is "unknown".
boost::asio::awaitable<sandbox_status> view_sandbox(environment where, sandbox_record record,
                                                    status_options options = {});

/// One word for the Docker column: "ready", "starting", …, "-" for a sandbox without.
std::string docker_word(const sandbox_status& status);

/// A socket in the shared directory, hostile ground: there, a socket, and no symlink. Gives its path.
/// Errors: not_found with what to do, hostile.
result<std::string> check_docker_socket(const sandbox& box);

/// docker_sandbox::wait_ready, for `limit`.
boost::asio::awaitable<result<void>> wait_for_docker(environment where, std::shared_ptr<sandbox> box, duration limit);

}  // namespace berth::cli
