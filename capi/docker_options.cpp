// SPDX-License-Identifier: Apache-2.0
#include "detail/daemon.hpp"
#include "detail/docker_options.hpp"

namespace berth::capi {

docker_recipe read_docker_recipe(options_object& o, docker_recipe recipe) {
  o.into(recipe.cgroup, o.word("cgroup", std::array{cgroup_mode::sandbox, cgroup_mode::host_bind, cgroup_mode::none}));
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

docker_registries read_docker_registries(options_object& o) {
  docker_registries out;
  o.into(out.mirrors, o.texts("registry_mirrors"));
  o.into(out.insecure, o.texts("insecure_registries"));
  o.into(out.certificates, o.pairs("registry_cas"));
  o.into(out.logins, o.texts("registry_auth"));
  o.into(out.login_file, o.text("registry_auth_file"));
  if (auto good = check_registries(out); !good)
    o.complain(good.error().path, good.error().message, good.error().code, good.error().hint);
  return out;
}

static void read_restart(options_object& o, restart_policy& restart) {
  o.into(restart.what, o.word("restart", std::array{restart_policy::kind::never, restart_policy::kind::on_failure}));
  if (const auto n = o.integer("restart_limit")) restart.limit = static_cast<std::uint32_t>(*n);
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
  if (const auto date = o.integer("runsc_release")) plan.runsc_release = static_cast<std::uint32_t>(*date);
  o.into(plan.uplink_device, o.text("uplink_device"));
  o.into(plan.uplink_address, o.text("uplink_address"));
  if (const auto mtu = o.integer("uplink_mtu")) plan.uplink_mtu = static_cast<std::uint32_t>(*mtu);
  o.into(plan.snat, o.boolean("snat"));
  o.into(plan.sockets, o.texts("sockets"));
  if (plan.sockets.empty()) o.complain("sockets", "at least one socket is wanted");
  o.into(plan.data_root, o.text("data_root_path"));
  o.into(plan.data_root_mounted, o.boolean("data_root_mounted"));
  o.into(plan.storage_driver, o.text("storage_driver"));
  using wrapper = docker_plan_options::runc_wrapper;
  o.into(plan.wrap_runc, o.word("wrap_runc", std::array{wrapper::automatic, wrapper::always, wrapper::never}));
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
