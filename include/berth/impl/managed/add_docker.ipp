// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/docker/data_root.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/managed/add_docker.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/spec/mounts.hpp>

#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <algorithm>

namespace berth {
namespace detail {

/// Half of what there is, as the kernel's own tmpfs has it, so that a full one is not the end of the host.
inline void limit_data_root(docker_recipe& recipe, const sandbox_config& config) {
  if (!recipe.data_root || recipe.data_root->where != docker_data_root::kind::tmpfs || recipe.data_root->size != 0)
    return;
  struct sysinfo host {};
  if (::sysinfo(&host) != 0) return;
  const std::uint64_t memory = static_cast<std::uint64_t>(host.totalram) * host.mem_unit;
  recipe.data_root->size = (config.memory_bytes != 0 ? std::min(config.memory_bytes, memory) : memory) / 2;
}

inline constexpr std::string_view runsc_cgroup_argument = "--in-sandbox-cgroup=";

/// Whether the caller has said which cgroups the sandbox has.
inline bool chooses_cgroups(const std::vector<std::string>& runsc_args) {
  return std::any_of(runsc_args.begin(), runsc_args.end(),
                     [](const std::string& arg) { return arg.starts_with(runsc_cgroup_argument); });
}

/// Whether the spec that a sandbox was made with binds `info`, or what is below it where berth keeps Docker's data.
inline bool binds(const sandbox_record& record, const struct stat& info) {
  auto spec = spec_builder::load(record.bundle() + "/config.json");
  if (!spec) return false;  // it is not made yet
  for (const spec_mount& mount : spec_mounts(*spec).list()) {
    struct stat source {};
    const bool written = std::find(mount.options.begin(), mount.options.end(), "ro") == mount.options.end();
    if (mount.type == "bind" && written && ::stat(mount.source.c_str(), &source) == 0 && source.st_dev == info.st_dev &&
        source.st_ino == info.st_ino)
      return true;
  }
  return false;
}

inline bool is_file(const std::string& path, const struct stat& info) {
  struct stat its {};
  return !path.empty() && ::stat(path.c_str(), &its) == 0 && its.st_dev == info.st_dev && its.st_ino == info.st_ino;
}

/// Two dockerds on one data root destroy each other's images. Seen are the sandboxes of this root directory whose spec is
/// written.
inline result<void> refuse_data_root_in_use(const std::string& directory, const environment& where) {
  struct stat top {};
  struct stat inner {};
  if (::stat(directory.c_str(), &top) != 0) return {};  // told by open_data_root
  const bool made = ::stat((directory + "/" + std::string(data_root_inside)).c_str(), &inner) == 0;
  struct stat disk {};
  const bool sized = ::stat((directory + "/" + std::string(data_root_disk)).c_str(), &disk) == 0;
  auto others = list_sandboxes(where);
  if (!others) return std::move(others).error();
  for (const sandbox_record& other : *others) {
    if (other.damaged) continue;
    if (!other.lives() && !(other.phase == record_phase::creating && other.creator.alive())) continue;
    if (!(made && binds(other, inner)) && !binds(other, top) && !(sized && is_file(other.disk_file(), disk))) continue;
    return make_error(errc::exists, "docker",
                      "the sandbox " + other.id + " has this data root, and two Dockers cannot share one", directory,
                      "name another directory, or " + hints::remove_sandbox(other.id));
  }
  return {};
}

}  // namespace detail

BERTH_DECL result<void> add_docker(sandbox_config& config, const docker_recipe& recipe, const runsc_version& runsc,
                                   const log_sink& log_to) {
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

  if (!versions->docker.known() && !config.packet_socket_write) {
    log(log_to, log_level::warn,
        "the root file system has no package record of its Docker: without packet writing, Docker 28 and later start no "
        "containers (runsc's --allow-packet-socket-write lets it)",
        {{"rootfs", config.rootfs}});
  }

  docker_recipe managed = recipe;
  if (managed.data_root && managed.data_root->where == docker_data_root::kind::directory) {
    auto disk = find_data_root_disk(managed.data_root->directory, managed.data_root->size);
    if (!disk) return disk.error();
    if (disk->empty()) {
      auto bound = open_data_root(managed.data_root->directory, log_to);
      if (!bound) return bound.error();
      managed.data_root->directory = std::move(*bound);
    } else {
      config.disk = sandbox_disk{*disk, managed.data_root->size, std::string(data_root_inside)};
      managed.data_root->directory = std::move(*disk);
      managed.data_root->size = 0;
    }
  }
  config.net_raw = true;
  if (plan->needs_packet_socket_write) config.packet_socket_write = true;
  if (plan->joins_cgroups && managed.cgroup == cgroup_mode::sandbox && !detail::chooses_cgroups(config.runsc_args))
    config.runsc_args.push_back(std::string(detail::runsc_cgroup_argument) + "v2");
  config.shared_directory = true;
  managed.raise_limits = true;  // its kernel is its own, and so are the limits
  detail::limit_data_root(managed, config);
  config.edit_spec = [recipe = std::move(managed), log_to,
                      then = std::move(config.edit_spec)](spec_builder& spec) -> result<void> {
    auto steps = apply_docker(spec, recipe, log_to);
    if (!steps) return steps.error();
    return then ? then(spec) : result<void>();
  };
  return {};
}

BERTH_DECL boost::asio::awaitable<result<void>> add_docker(sandbox_config& config, docker_recipe recipe,
                                                           environment where) {
  const time_point deadline = deadline_after(config.create_timeout);
  auto binary = co_await find_sandbox_runsc(where, deadline);
  if (!binary) co_return std::move(binary).error();
  if (recipe.data_root && recipe.data_root->where == docker_data_root::kind::directory)
    BERTH_CO_TRY(detail::refuse_data_root_in_use(recipe.data_root->directory, where));
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
  out.plan.data_root_on_host = recipe.data_root && recipe.data_root->where == docker_data_root::kind::directory;
  if (record.shared_directory) {
    out.plan.sockets.push_back(std::string(sandbox::shared_inside) + "/" + std::string(docker_socket_name));
    out.host_socket = box.shared_path(docker_socket_name);
  }
  return out;
}

}  // namespace berth
