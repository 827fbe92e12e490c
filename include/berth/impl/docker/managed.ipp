#pragma once

#include <berth/docker/managed.hpp>
#include <berth/sandbox/find_runsc.hpp>

namespace berth {

BERTH_DECL result<void> add_docker(sandbox_config& config, const docker_recipe& recipe, const runsc_version& runsc,
                                   const log_sink& log) {
  auto present = has_dockerd(config.rootfs);
  if (!present) return present.error();
  if (!*present)
    return make_error(errc::daemon_not_present, "docker", "the root file system has no dockerd", config.rootfs,
                      "install Docker in it (Debian: docker.io, iptables, iproute2)");
  auto versions = read_docker_versions(config.rootfs);
  if (!versions) return versions.error();
  docker_plan_options pair;
  pair.versions = *versions;
  pair.runsc_release = runsc.date;
  auto plan = plan_docker(pair);  // a pair that cannot work is refused before anything is made
  if (!plan) return plan.error();

  config.net_raw = true;
  config.packet_socket_write = plan->needs_packet_socket_write;
  config.shared_directory = true;
  config.edit_spec = [recipe, log, then = std::move(config.edit_spec)](spec_builder& spec) -> result<void> {
    auto steps = apply_docker(spec, recipe, log);
    if (!steps) return steps.error();
    return then ? then(spec) : result<void>();
  };
  return {};
}

BERTH_DECL boost::asio::awaitable<result<void>> add_docker(sandbox_config& config, docker_recipe recipe, environment where) {
  const time_point deadline = deadline_after(config.create_timeout);
  auto binary = co_await find_sandbox_runsc(where, deadline);
  if (!binary) co_return std::move(binary).error();
  co_return add_docker(config, recipe, binary->version(), where.log);
}

BERTH_DECL result<supervisor_options> docker_supervisor_options(sandbox& box, const docker_recipe& recipe) {
  const sandbox_record& record = box.record();
  supervisor_options out;
  auto versions = read_docker_versions(record.rootfs);
  if (!versions) return versions.error();
  auto binary = box.runsc();
  if (!binary) return binary.error();
  out.plan.versions = *versions;
  out.plan.runsc_release = binary->version().date;
  out.plan.snat = record.network != network_mode::none;
  if (record.net) {
    out.plan.uplink_address = record.net->address();
    out.plan.uplink_mtu = static_cast<std::uint32_t>(record.net->mtu);
  }
  out.plan.data_root = recipe.data_root_path;
  out.plan.data_root_mounted = recipe.data_root.has_value();
  if (record.shared_directory) {
    out.plan.sockets.push_back(std::string(sandbox::shared_inside) + "/" + std::string(docker_socket_name));
    out.host_socket = box.shared_path(docker_socket_name);
  }
  return out;
}

}  // namespace berth
