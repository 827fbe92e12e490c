// SPDX-License-Identifier: Apache-2.0
// What `berth run` is asked for, in the words of its options and as what the library takes.
#pragma once

#include "options/options.hpp"
#include "options/variables.hpp"

#include <berth/docker/recipe.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/sandbox/config.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace berth::cli {

/// The options as given.
struct run_call {
  bool detach = false, docker = false, wait = false, hibernate = false;
  std::string pool;  ///< `berth pool take`
  std::string id, rootfs, from, network = "sandbox", cgroup = "sandbox", data_root = "tmpfs", memory, timeout = "30",
                                cpus = "0";
  std::string max_connections;
  std::string lifetime, idle_timeout, hostname, cwd = "/", user, restart = "on-failure", login_file;
  std::vector<std::string> egress, ports, host_ports, volumes, labels, runsc_args, dockerd_args, mirrors, insecure, cas,
      logins;
  variable_options variables;
  std::string ends_with;
};
void add_run_options(CLI::App& app, run_call& c);

/// The same, checked and with absolute paths.
struct run_plan {
  environment where;
  sandbox_config config;
  std::string from;     ///< a snapshot, in place of a root file system
  std::string pool;     ///< a pool to take one from, in place of either
  bool docker = false;  ///< of one that is restored or taken: set when it is
  bool wait = false;
  bool detached = false;
  docker_recipe recipe;
  restart_policy restart;
  duration ready_timeout = seconds(30);
  time_point began{};  ///< when its creation did

  /// What a creation that took long has left of it; one that took its usual time leaves it whole.
  duration ready_timeout_left() const {
    const duration left = ready_timeout + milliseconds(800) - (clock::now() - began);
    return std::min(ready_timeout, std::max<duration>(left, seconds(1)));
  }
  duration lifetime = duration::zero();    ///< from its creation on; 0: without end
  std::shared_ptr<const unique_fd> owner;  ///< a pidfd: the sandbox ends with that process
  process_identity owner_identity;
  std::vector<std::string> dockerd_args;
  std::vector<std::string> command;  ///< may be empty for a detached sandbox
  std::string user;
};
result<run_plan> plan_run(const run_call& c, const invocation& call);

/// What --data-root says, its directory made absolute. Errors: usage.
result<docker_data_root> data_root_of(const std::string& word);

}  // namespace berth::cli
