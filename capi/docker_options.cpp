// SPDX-License-Identifier: Apache-2.0
#include "detail/daemon.hpp"
#include "detail/docker_options.hpp"

namespace berth::capi {

docker_recipe read_docker_recipe(options_object& o, docker_recipe recipe) {
  if (auto word = o.text("cgroup")) {
    auto mode = parse_cgroup_mode(*word);
    if (mode) {
      recipe.cgroup = *mode;
    } else {
      o.complain("cgroup", mode.error().message, mode.error().code, mode.error().hint);
    }
  }
  if (auto word = o.text("data_root")) {
    auto root = parse_data_root(*word);
    if (root) {
      recipe.data_root = *root;
    } else {
      o.complain("data_root", root.error().message, root.error().code, root.error().hint);
    }
  }
  o.into(recipe.data_root_path, o.text("data_root_path"));
  return recipe;
}

static void read_restart(options_object& o, restart_policy& restart) {
  if (const auto word = o.text("restart")) {
    if (*word == "never") {
      restart.what = restart_policy::kind::never;
    } else if (*word == "on-failure") {
      restart.what = restart_policy::kind::on_failure;
    } else {
      o.complain("restart", "\"never\" or \"on-failure\" is wanted");
    }
  }
  if (const auto n = o.integer("restart_limit", 0, 1000000)) restart.limit = static_cast<std::uint32_t>(*n);
  o.into(restart.first_pause, o.milliseconds_of("restart_first_pause_ms"));
  o.into(restart.max_pause, o.milliseconds_of("restart_max_pause_ms"));
  o.into(restart.settle, o.milliseconds_of("restart_settle_ms"));
}

static void read_plan(options_object& o, docker_plan_options& plan) {
  const auto version = [&](std::string_view name, program_version& place) {
    const auto text = o.text(name);
    if (!text) return;
    place = parse_program_version(*text);
    if (!place.known()) o.complain(name, "a version such as \"28.5.2\" is wanted");
  };
  version("docker_version", plan.versions.docker);
  version("containerd_version", plan.versions.containerd);
  version("runc_version", plan.versions.runc);
  if (const auto date = o.integer("runsc_release", 0, 99999999)) plan.runsc_release = static_cast<std::uint32_t>(*date);
  o.into(plan.uplink_device, o.text("uplink_device"));
  o.into(plan.uplink_address, o.text("uplink_address"));
  if (const auto mtu = o.integer("uplink_mtu", 0, 65535)) plan.uplink_mtu = static_cast<std::uint32_t>(*mtu);
  o.into(plan.snat, o.boolean("snat"));
  o.into(plan.sockets, o.texts("sockets"));
  if (plan.sockets.empty()) o.complain("sockets", "at least one socket is wanted");
  o.into(plan.data_root, o.text("data_root_path"));
  o.into(plan.data_root_mounted, o.boolean("data_root_mounted"));
  o.into(plan.storage_driver, o.text("storage_driver"));
  if (const auto word = o.text("wrap_runc")) {
    using wrapper = docker_plan_options::runc_wrapper;
    if (*word == "automatic") {
      plan.wrap_runc = wrapper::automatic;
    } else if (*word == "always") {
      plan.wrap_runc = wrapper::always;
    } else if (*word == "never") {
      plan.wrap_runc = wrapper::never;
    } else {
      o.complain("wrap_runc", "\"automatic\", \"always\" or \"never\" is wanted");
    }
  }
  o.into(plan.dockerd, o.text("dockerd"));
  o.into(plan.dockerd_args, o.texts("dockerd_args"));
  o.into(plan.env, o.environment("dockerd_env"));
}

void read_daemon_settings(options_object& o, daemon_settings& settings) {
  supervisor_options& s = settings.options;
  read_plan(o, s.plan);
  o.into(s.ready_timeout, o.milliseconds_of("ready_timeout_ms"));
  read_restart(o, s.restart);
  o.into(s.stop_containers_timeout, o.milliseconds_of("stop_containers_timeout_ms"));
  o.into(s.term_timeout, o.milliseconds_of("term_timeout_ms"));
  o.into(s.kill_timeout, o.milliseconds_of("kill_timeout_ms"));
  o.into(settings.events, o.boolean("events"));
  o.into(settings.lines, o.boolean("daemon_lines"));
}

}  // namespace berth::capi
