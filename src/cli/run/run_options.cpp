// SPDX-License-Identifier: Apache-2.0
#include "run/run_options.hpp"

#include <berth/base/text.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/sandbox/root_directory.hpp>
#include <berth/snapshot/store.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace berth::cli {
namespace {

result<std::pair<std::string, std::string>> split_pair(const std::string& text, const char* option) {
  const auto at = text.find('=');
  if (at == 0 || at == std::string::npos)
    return usage_error(in_quotes(text) + " is not of the form NAME=VALUE", option);
  return std::pair{text.substr(0, at), text.substr(at + 1)};
}

result<sandbox_mount> parse_volume(const std::string& text) {
  const error bad = usage_error(in_quotes(text) + " is not of the form SOURCE[:DESTINATION][:ro]", "--volume");
  sandbox_mount out;
  std::string rest = text;
  if (rest.ends_with(":ro")) {
    out.read_only = true;
    rest.resize(rest.size() - 3);
  } else if (rest.ends_with(":rw")) {
    rest.resize(rest.size() - 3);
  }
  const auto at = rest.find(':');
  if (rest.empty() || at == 0 || (at != std::string::npos && rest.find(':', at + 1) != std::string::npos)) return bad;
  out.source = absolute_path(rest.substr(0, at));
  // Without a destination the same path inside: what a client of Docker on this host binds from it is there.
  out.destination = at == std::string::npos ? out.source : rest.substr(at + 1);
  if (out.destination.empty() || out.destination.front() != '/') return bad;
  return out;
}

result<restart_policy> parse_restart(const std::string& text) {
  restart_policy out;
  if (text == "no" || text == "never") return out;
  out.what = restart_policy::kind::on_failure;
  if (text == "on-failure") return out;
  constexpr std::string_view prefix = "on-failure:";
  if (text.starts_with(prefix)) {
    const std::string_view number = std::string_view(text).substr(prefix.size());
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), out.limit);
    if (ec == std::errc() && end == number.data() + number.size()) return out;
  }
  return usage_error(in_quotes(text) + " is no policy: no, on-failure or on-failure:N", "--restart");
}

result<void> fill_network(const run_call& c, sandbox_config& config) {
  if (c.network == "sandbox") {
    config.network = network_mode::sandbox;
  } else if (c.network == "none") {
    config.network = network_mode::none;
  } else if (c.network.find('/') != std::string::npos) {
    config.network = network_mode::path;
    config.network_path = absolute_path(c.network);
  } else {
    return usage_error(in_quotes(c.network) + " is none of sandbox, none and the path of a network namespace",
                       "--network");
  }
  if (!c.max_connections.empty()) {
    const auto most = berth::parse_number<std::uint32_t>(c.max_connections);
    if (!most || *most > 1u << 31)
      return usage_error(in_quotes(c.max_connections) + " is no number of connections, nor 0 for no limit",
                         "--max-connections");
    config.max_connections = *most;
  }
  if (!c.egress.empty()) {
    const auto policy = parse_egress(c.egress);
    if (!policy) return usage_error(policy.error(), "--egress");
    config.egress = *policy;
  }
  auto ports = parse_published_ports(c.ports);
  if (!ports) return usage_error(ports.error(), "--publish");
  config.ports = std::move(*ports);
  auto reached = parse_host_ports(c.host_ports);
  if (!reached) return usage_error(reached.error(), "--allow-host-port");
  config.host_ports = std::move(*reached);
  return {};
}

// As an error of the library calls it.
std::string_view flag_of_registries(std::string_view field) {
  if (field == "registry_mirrors") return "--registry-mirror";
  if (field == "insecure_registries") return "--insecure-registry";
  if (field == "registry_cas") return "--registry-ca";
  return field == "registry_auth" ? "--registry-auth" : "--registry-auth-file";
}

result<void> fill_registries(const run_call& c, docker_registries& out) {
  out.mirrors = c.mirrors;
  out.insecure = c.insecure;
  out.logins = c.logins;
  for (const std::string& word : c.cas) {
    auto pair = split_pair(word, "--registry-ca");
    if (!pair) return pair.error();
    pair->second = absolute_path(pair->second);
    out.certificates.push_back(std::move(*pair));
  }
  if (!c.login_file.empty()) out.login_file = absolute_path(c.login_file);
  if (const auto good = check_registries(out); !good)
    return usage_error(good.error(), std::string(flag_of_registries(good.error().path)));
  return {};
}

}  // namespace

result<docker_data_root> data_root_of(const std::string& word) {
  const bool in_memory = word == "tmpfs" || word.starts_with("tmpfs:");
  std::error_code failed;
  auto root = parse_data_root(in_memory ? word : std::filesystem::absolute(word, failed).string());
  if (!root) return usage_error(root.error(), "--data-root");
  if (!in_memory) root->directory = absolute_path(root->directory);
  return root;
}

namespace {

result<void> fill_docker(const run_call& c, run_plan& plan) {
  const auto mode = parse_cgroup_mode(c.cgroup);
  if (!mode) return usage_error(mode.error(), "--cgroup");
  plan.recipe.cgroup = *mode;
  const auto root = data_root_of(c.data_root);
  if (!root) return root.error();
  plan.recipe.data_root = *root;
  std::error_code failed;
  if (root->where == docker_data_root::kind::directory && !std::filesystem::is_directory(root->directory, failed))
    return usage_error("there is no directory " + in_quotes(root->directory), "--data-root");
  const auto restart = parse_restart(c.restart);
  if (!restart) return restart.error();
  plan.restart = *restart;
  const auto timeout = parse_duration(c.timeout, "--timeout");
  if (!timeout) return timeout.error();
  plan.ready_timeout = *timeout;
  // A runsc that hangs must not keep anybody longer; what is allowed to Docker is enough for a sandbox in any case.
  plan.config.create_timeout = std::clamp<duration>(*timeout + milliseconds(800), seconds(2), seconds(60));
  plan.dockerd_args = c.dockerd_args;
  return fill_registries(c, plan.recipe.registries);
}

// What a snapshot brings along cannot be said anew.
result<void> refuse_beside_snapshot(const run_call& c, const CLI::App& verb) {
  const auto of_snapshot = [](std::string_view flag) {
    return usage_error("a sandbox that is restored has what its snapshot has; leave this out", std::string(flag));
  };
  for (const flag_row& row : flag_rows()) {
    const bool of_run =
        row.key.starts_with("sandbox.") || row.key.starts_with("docker.") || row.key.starts_with("run.");
    if (!of_run || row.restored) continue;
    const std::string_view name = row.names.substr(row.names.find("--"));
    const std::string_view flag = name.substr(0, name.find(','));
    if (const CLI::Option* option = verb.get_option_no_throw(std::string(flag));
        option != nullptr && option->count() > 0)
      return of_snapshot(flag);
  }
  if (c.network == "none") return of_snapshot("--network");
  return {};
}

}  // namespace

void add_run_options(CLI::App& app, run_call& c) {
  takes_command(app);
  add_from_table(app, "run.detach", c.detach);
  add_from_table(app, "sandbox.id", c.id);
  add_from_table(app, "sandbox.rootfs", c.rootfs);
  add_from_table(app, "sandbox.snapshot", c.from);
  add_from_table(app, "sandbox.cpus", c.cpus);
  add_from_table(app, "sandbox.memory_bytes", c.memory);
  add_from_table(app, "sandbox.network", c.network);
  add_from_table(app, "sandbox.max_connections", c.max_connections);
  add_from_table(app, "sandbox.egress", c.egress);
  add_from_table(app, "sandbox.publish", c.ports);
  add_from_table(app, "sandbox.host_ports", c.host_ports);
  add_variables(app, c.variables);
  add_from_table(app, "sandbox.mounts", c.volumes);
  add_from_table(app, "sandbox.lifetime_ms", c.lifetime);
  add_from_table(app, "sandbox.idle_timeout_ms", c.idle_timeout);
  add_from_table(app, "sandbox.hibernate", c.hibernate);
  add_from_table(app, "sandbox.ends_with_process", c.ends_with);
  add_from_table(app, "sandbox.hostname", c.hostname);
  add_from_table(app, "sandbox.cwd", c.cwd);
  add_from_table(app, "run.user", c.user);
  add_from_table(app, "sandbox.annotations", c.labels);
  add_from_table(app, "sandbox.runsc_args", c.runsc_args);

  auto* docker = add_from_table(app, "sandbox.docker", c.docker);
  add_from_table(app, "run.wait", c.wait);
  add_from_table(app, "docker.ready_timeout_ms", c.timeout);
  add_from_table(app, "docker.cgroup", c.cgroup)->needs(docker);
  add_from_table(app, "docker.data_root", c.data_root)->needs(docker);
  add_from_table(app, "docker.restart", c.restart)->needs(docker);
  add_from_table(app, "docker.dockerd_args", c.dockerd_args)->needs(docker);
  add_from_table(app, "docker.registry_mirrors", c.mirrors)->needs(docker);
  add_from_table(app, "docker.insecure_registries", c.insecure)->needs(docker);
  add_from_table(app, "docker.registry_cas", c.cas)->needs(docker);
  add_from_table(app, "docker.registry_auth", c.logins)->needs(docker);
  add_from_table(app, "docker.registry_auth_file", c.login_file)->needs(docker);
}

result<run_plan> plan_run(const run_call& c, const invocation& call) {
  run_plan out;
  auto where = call.common.find_environment();
  if (!where) return std::move(where).error();
  out.where = std::move(*where);
  out.docker = c.docker;
  out.wait = c.wait;
  out.detached = c.detach;
  if (c.wait && !c.detach) return usage_error("in the foreground it is waited for anyway", "--wait");

  auto words = call.command_line();
  if (!words) return words.error();
  out.command = std::move(*words);
  if (out.command.empty() && !c.detach)
    return usage_error("no command given: put it behind --, or leave the sandbox running by -d");
  out.user = c.user;

  sandbox_config& config = out.config;
  config.id = c.id;
  if (c.from.empty() && c.rootfs.empty() && c.pool.empty())
    return usage_error("a root file system is needed, or a snapshot", "--rootfs");
  if (!c.from.empty()) {
    if (const auto done = refuse_beside_snapshot(c, *call.verb); !done) return done.error();
    if (const auto good = check_snapshot_name(c.from); !good) return usage_error(good.error(), "--from");
    out.from = c.from;
  }
  out.pool = c.pool;
  // A snapshot has its own; until it is opened the root directory stands for it.
  config.rootfs = out.from.empty() && out.pool.empty() ? absolute_path(c.rootfs) : "/";
  const auto cpus = parse_cpus(c.cpus, "--cpus");
  if (!cpus) return cpus.error();
  config.cpus = *cpus;
  if (!c.memory.empty()) {
    const auto bytes = parse_bytes(c.memory, "--memory");
    if (!bytes) return bytes.error();
    config.memory_bytes = *bytes;
  }
  if (!c.lifetime.empty()) {
    const auto length = parse_duration(c.lifetime, "--lifetime");
    if (!length) return length.error();
    out.lifetime = *length;
  }
  if (!c.idle_timeout.empty()) {
    const auto length = parse_duration(c.idle_timeout, "--idle-timeout");
    if (!length) return length.error();
    config.idle_timeout = *length;
  }
  config.hibernate = c.hibernate;
  if (auto done = fill_network(c, config); !done) return done.error();
  auto variables = gather_variables(c.variables);
  if (!variables) return std::move(variables).error();
  config.env = std::move(*variables);
  for (const std::string& volume : c.volumes) {
    auto mount = parse_volume(volume);
    if (!mount) return mount.error();
    config.mounts.push_back(std::move(*mount));
  }
  for (const std::string& label : c.labels) {
    auto pair = split_pair(label, "--label");
    if (!pair) return pair.error();
    config.annotations.push_back(std::move(*pair));
  }
  config.hostname = c.hostname;
  config.cwd = c.cwd;
  config.runsc_args = c.runsc_args;
  // In the foreground it is of no use without us, and gc takes it away; detached it is, until it was handed over.
  config.ends_with_creator = true;
  if (!c.ends_with.empty()) {
    const auto pid = parse_number<pid_t>(c.ends_with);
    auto owner = pid && *pid > 0 ? open_pidfd(*pid) : make_error(errc::not_found, "cli", "no number");
    // The number is that process's for as long as it can be signalled.
    const process_identity who = owner ? process_identity::of(*pid) : process_identity();
    if (!owner || !signal_pidfd(owner->get(), 0))
      return usage_error("there is no process " + in_quotes(c.ends_with), "--ends-with");
    out.owner = std::make_shared<const unique_fd>(std::move(*owner));
    out.owner_identity = who;
    config.watch_creator = true;  // whoever runs it in the foreground may be killed with its owner
    config.owner = who;
  }
  if (auto done = fill_docker(c, out); !done) return done.error();
  for (const auto& checked : {check_sandbox_config(out.where, config), check_socket_paths(out.where.root, c.id)})
    if (!checked)
      return usage_error(checked.error(), checked.error().path == "egress"         ? "--egress"
                                          : checked.error().path == "ports"        ? "--publish"
                                          : checked.error().path == "host_ports"   ? "--allow-host-port"
                                          : checked.error().path == "idle_timeout" ? "--idle-timeout"
                                          : checked.error().path == "hibernate"    ? "--hibernate"
                                                                                   : checked.error().path);
  return out;
}

}  // namespace berth::cli
