// SPDX-License-Identifier: Apache-2.0
// What `berth run` does in the foreground and detached alike.
#pragma once

#include "run/run_options.hpp"

#include <berth/managed/docker_sandbox.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>

namespace berth::cli {

/// Makes the sandbox of the plan, with a note of what it is for. On failure or cancellation nothing is left.
boost::asio::awaitable<result<std::shared_ptr<sandbox>>> make_sandbox_of(run_plan& plan);

/// Starts the plan's dockerd and waits until it is ready, or only waits where it was restored with the sandbox; then `run` begins,
/// where that is given.
boost::asio::awaitable<result<void>> start_docker(const run_plan& plan, std::shared_ptr<sandbox> box,
                                                  std::optional<command> run);

/// What the plan wants of Docker, from now on.
docker_settings docker_settings_of(const run_plan& plan);

/// Stops Docker in order where there is one, then removes all of the sandbox.
boost::asio::awaitable<result<void>> end_sandbox(const run_plan& plan, std::shared_ptr<sandbox> box, bool docker);

/// A detached run: gives the id once the sandbox is the user's. Nothing of ours stays on the host for it.
int run_detached(run_plan plan, const invocation& call);

}  // namespace berth::cli
