// SPDX-License-Identifier: Apache-2.0
#include "detail/sandbox.hpp"

#include <berth/spec/merge.hpp>

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace berth::capi {

// berth-init beside this library, where the running program is an interpreter that knows nothing of berth: in the same
// directory, in the libexec directory of the same prefix, or as a wheel of pyberth has it.
static std::string init_beside_library() {
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&berth_version), &here) == 0 || here.dli_fname == nullptr) return {};
  const std::string library = here.dli_fname;
  const std::size_t slash = library.rfind('/');
  if (slash == std::string::npos) return {};
  const std::string directory = library.substr(0, slash);
  for (const char* place : {"/berth-init", "/../libexec/berth/berth-init", "/../_program/libexec/berth/berth-init"}) {
    if (::access((directory + place).c_str(), X_OK) != 0) continue;
    // Without `..`: it may become the source of a mount.
    const std::unique_ptr<char, void (*)(void*)> whole(::realpath((directory + place).c_str(), nullptr), &std::free);
    return whole ? std::string(whole.get()) : directory + place;
  }
  return {};
}

result<environment> read_environment(std::string_view text) {
  // Of the process's environment, only what berth's own command reads too.
  std::vector<std::string> set;
  for (const char* name : {"BERTH_ROOT", "BERTH_RUNSC", "BERTH_INIT", "BERTH_NETWORK_POOL"}) {
    if (const char* value = std::getenv(name)) set.push_back(std::string(name) + "=" + value);
  }
  environment where = environment::from(set);
  options_text given;
  BERTH_TRY(given.parse(text));
  auto o = given.root("where");
  o.into(where.root, o.text("root"));
  o.into(where.runsc, o.text("runsc"));
  o.into(where.init, o.text("init"));
  o.into(where.network_pool, o.text("network_pool"));
  o.finish();
  BERTH_TRY(given.outcome());
  if (where.init.empty()) where.init = init_beside_library();  // else find_init looks in its own places
  return where;
}

static void read_managed_docker_object(options_object& o, docker_recipe& recipe, daemon_settings& settings,
                                       bool& enabled, bool& start) {
  enabled = true;
  o.into(enabled, o.boolean("enabled"));
  o.into(start, o.boolean("start"));
  recipe.data_root = docker_data_root{};  // a tmpfs: on the root's overlay Docker 29 cannot use overlayfs
  recipe = read_docker_recipe(o, recipe);
  recipe.registries = read_docker_registries(o);
  settings.options.restart.what = restart_policy::kind::on_failure;
  read_daemon_settings(o, settings);
  std::vector<std::string>& arguments = settings.options.plan.dockerd_args;
  const std::vector<std::string> first = registry_arguments(recipe.registries);
  arguments.insert(arguments.begin(), first.begin(), first.end());
  o.finish();
}

result<void> read_managed_docker(std::string_view text, docker_recipe& recipe, daemon_settings& settings, bool& enabled,
                                 bool& start) {
  options_text given;
  BERTH_TRY(given.parse(text));
  auto o = given.root("docker");
  read_managed_docker_object(o, recipe, settings, enabled, start);
  return given.outcome();
}

static constexpr const char* of_snapshot = "a sandbox that is restored has what its snapshot has: leave it out";

result<sandbox_request> read_sandbox_request(std::string_view where, std::string_view config) {
  sandbox_request r;
  auto environment = read_environment(where);
  if (!environment) return std::move(environment).error();
  r.where = std::move(*environment);

  options_text given;
  BERTH_TRY(given.parse(config));
  auto o = given.root("sandbox");
  sandbox_config& c = r.config;
  o.into(r.snapshot, o.text("snapshot"));
  if (!r.snapshot.empty()) {
    for (const option_row& row : find_option_set("sandbox")->rows) {
      if (!row.restored && o.has(row.name)) o.complain(row.name, of_snapshot);
    }
    c.rootfs = "/";  // until the snapshot is opened
  }
  o.into(c.id, o.text("id"));
  o.into(c.rootfs, o.text("rootfs"));
  if (auto network = o.text("network")) {
    if (!r.snapshot.empty() && !network->starts_with('/')) {
      o.complain("network", of_snapshot);
    } else if (*network == "sandbox") {
      c.network = network_mode::sandbox;
    } else if (*network == "none") {
      c.network = network_mode::none;
    } else if (!network->empty() && network->front() == '/') {
      c.network = network_mode::path;
      c.network_path = std::move(*network);
    } else {
      o.complain("network", "\"sandbox\", \"none\" or the absolute path of a network namespace is wanted");
    }
  }
  if (const auto most = o.integer("max_connections")) {
    c.max_connections = static_cast<std::uint32_t>(*most);
  }
  if (const auto words = o.texts("egress")) {
    auto policy = parse_egress(*words);
    if (policy) c.egress = std::move(*policy);
    else o.complain("egress", policy.error().message, errc::invalid, policy.error().hint);
  }
  if (const auto words = o.texts("publish")) {
    auto ports = parse_published_ports(*words);
    if (ports) c.ports = std::move(*ports);
    else o.complain("publish", ports.error().message, errc::invalid, ports.error().hint);
  }
  if (const auto words = o.texts("host_ports")) {
    auto ports = parse_host_ports(*words);
    if (ports) c.host_ports = std::move(*ports);
    else o.complain("host_ports", ports.error().message, errc::invalid, ports.error().hint);
  }
  o.into(c.cpus, o.number("cpus"));
  o.into(c.memory_bytes, o.size("memory_bytes"));
  o.into(c.hostname, o.text("hostname"));
  o.into(c.env, o.environment("env"));
  o.into(c.cwd, o.text("cwd"));
  for (auto& m : o.objects("mounts")) {
    decltype(c.mounts)::value_type mount;
    m.into(mount.source, m.text("source"));
    m.into(mount.destination, m.text("destination"));
    m.into(mount.read_only, m.boolean("read_only"));
    m.finish();
    if (mount.destination.empty()) mount.destination = mount.source;
    c.mounts.push_back(std::move(mount));
  }
  o.into(c.annotations, o.pairs("annotations"));
  o.into(c.net_raw, o.boolean("net_raw"));
  o.into(c.packet_socket_write, o.boolean("packet_socket_write"));
  o.into(c.shared_directory, o.boolean("shared_directory"));
  o.into(c.runsc_args, o.texts("runsc_args"));
  o.into(c.watch_creator, o.boolean("ends_with_creator"));
  if (const auto pid = o.integer("ends_with_process")) {
    c.owner = process_identity::of(static_cast<pid_t>(*pid));
    if (!c.owner.alive()) o.complain("ends_with_process", "there is no process of this number");
  }
  o.into(c.lifetime, o.milliseconds_of("lifetime_ms"));
  o.into(c.idle_timeout, o.milliseconds_of("idle_timeout_ms"));
  o.into(c.hibernate, o.boolean("hibernate"));
  o.into(c.create_timeout, o.milliseconds_of("create_timeout_ms"));
  if (auto patch = o.json("spec_patch")) {
    c.edit_spec = [text = std::move(*patch)](spec_builder& spec) { return merge_spec(spec, text); };
  }
  if (auto docker = o.object("docker")) {
    daemon_settings settings;  // only looked at: what is wrong with it must be told now
    read_managed_docker_object(*docker, r.recipe, settings, r.docker, r.start_docker);
    o.into(r.docker_options, o.json("docker"));
  }
  o.finish();
  BERTH_TRY(given.outcome());
  BERTH_TRY(check_sandbox_config(r.where, c));
  if (!r.snapshot.empty()) BERTH_TRY(check_snapshot_name(r.snapshot));
  return r;
}

}  // namespace berth::capi
