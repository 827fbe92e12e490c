// What `berth run` is asked for, in the words of its options and as what the library takes.
#pragma once

#include "options.hpp"

#include <berth/docker/recipe.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/sandbox/config.hpp>

#include <string>
#include <vector>

namespace berth::cli {

/// The options as given. Shared by `run` and by the monitor, which gets the same words.
struct run_call {
  bool detach = false, docker = false, wait = false;
  std::string id, rootfs, network = "sandbox", cgroup = "sandbox", data_root = "tmpfs", memory, timeout = "30", cpus = "0";
  std::string lifetime, hostname, cwd = "/", user, restart = "on-failure";
  std::vector<std::string> env, volumes, labels, runsc_args, dockerd_args;
};
void add_run_options(CLI::App& app, run_call& c);

/// The same, checked and with absolute paths.
struct run_plan {
  environment where;
  sandbox_config config;
  bool docker = false;
  bool wait = false;
  bool detached = false;
  docker_recipe recipe;
  restart_policy restart;
  duration ready_timeout = seconds(30);
  duration lifetime = duration::zero();  ///< from its creation on; 0: without end
  std::vector<std::string> dockerd_args;
  std::vector<std::string> command;  ///< may be empty for a detached sandbox
  std::string user;
};
result<run_plan> plan_run(const run_call& c, const invocation& call);

}  // namespace berth::cli
