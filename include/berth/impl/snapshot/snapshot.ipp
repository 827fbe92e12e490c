// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/token.hpp>
#include <berth/docker/data_root.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/docker/plan.hpp>
#include <berth/process/tree.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/snapshot/detail/task_group.hpp>
#include <berth/snapshot/detail/unfinished.hpp>
#include <berth/snapshot/snapshot.hpp>
#include <berth/spec/mounts.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

namespace berth {
namespace detail {

inline result<snapshot_base> base_of(const runsc_binary& binary, const std::string& rootfs) {
  auto identity = rootfs_identity(rootfs);
  if (!identity) return std::move(identity).error();
  return snapshot_base{binary.version().text, cpu_features(), std::move(*identity)};
}

/// Docker's data root where that is a directory of the host's. Two dockerds on one destroy each other's images, so a snapshot
/// has a copy of it, and each sandbox that is restored another.
inline std::optional<spec_mount> host_data_root(spec_builder& spec) {
  for (const spec_mount& mount : spec_mounts(spec).list())
    if (mount.type == "bind" && mount.source.ends_with(data_root_inside)) return mount;
  return {};
}

/// What was bound from the host has to be there again.
inline result<void> check_volumes(const stored_snapshot& from) {
  auto spec = spec_builder::load(from.spec());
  if (!spec) return std::move(spec).error();
  const auto copied = host_data_root(*spec);
  for (const spec_mount& mount : spec_mounts(*spec).list()) {
    if (copied && mount.destination == copied->destination) continue;
    // What is berth's own is made anew: the guest, the shared directory, files of the bundle's over /etc.
    const bool of_bundle =
        mount.destination.starts_with("/etc/") && mount.source.ends_with("/bundle" + mount.destination.substr(4));
    if (mount.type != "bind" || mount.destination == docker_guest_path || mount.destination == sandbox::shared_inside ||
        of_bundle)
      continue;
    struct stat info {};
    if (::stat(mount.source.c_str(), &info) != 0)
      return errno_error(errno, "snapshot", "cannot open what the snapshot's sandbox had bound", mount.source,
                         "a restored sandbox has the same volumes: put it back");
  }
  return {};
}

inline result<void> copy_beside(const std::string& from, const std::string& to) {
  std::error_code failed;
  std::filesystem::copy_file(from, to, failed);
  if (failed) return errno_error(failed.value(), "snapshot", "cannot copy into the snapshot", from);
  return {};
}

}  // namespace detail

namespace detail {

BERTH_DECL boost::asio::awaitable<result<snapshot_manifest>> save_sandbox(std::shared_ptr<sandbox> box,
                                                                          stored_snapshot place,
                                                                          snapshot_options options) {
  const time_point began = clock::now();
  const auto kept = read_guest_status(box->record());
  const bool has_docker = kept && kept->docker.state != daemon_state::disabled;
  auto binary = box->runsc();
  if (!binary) co_return std::move(binary).error();
  if (has_docker) BERTH_CO_TRY(check_docker_is_restored(binary->version()));
  const std::string config = box->record().bundle() + "/config.json";
  auto spec = spec_builder::load(config);
  if (!spec) co_return std::move(spec).error();
  auto base = base_of(*binary, box->record().rootfs);
  if (!base) co_return std::move(base).error();
  snapshot_manifest manifest;
  manifest.name = place.manifest.name;
  manifest.created_ms =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  manifest.berth = BERTH_VERSION_STRING;
  manifest.base = std::move(*base);
  manifest.source = box->record();
  if (manifest.source.disk) {
    struct stat file {};
    if (::stat(box->record().disk_file().c_str(), &file) != 0)
      co_return errno_error(errno, "snapshot", "cannot open the sandbox's disk", box->record().disk_file());
    manifest.source.disk->bytes = static_cast<std::uint64_t>(file.st_size);
  }
  manifest.docker = has_docker && kept->docker.state == daemon_state::ready;
  // The very program that runs inside, whatever was installed since.
  const auto guest = spec_mounts(*spec).get(docker_guest_path);
  if (!guest) co_return make_error(errc::unsupported, "snapshot", "the sandbox does not run berth's guest", box->id());
  BERTH_CO_TRY(copy_beside(guest->source, place.init()));
  BERTH_CO_TRY(copy_beside(config, place.spec()));
  standstill_work copy_data_root;
  const auto on_host = host_data_root(*spec);
  const time_point deadline = deadline_after(options.patience);
  if (on_host) {
    const std::string from = on_host->source, to = place.data_root();
    copy_data_root = [from, to, deadline] { return copy_tree(from, to, deadline); };
  }
  auto saving = box->checkpoint(place.image(), options.leave_running, options.patience, std::move(copy_data_root));
  auto saved = co_await std::move(saving);
  if (!saved) co_return std::move(saved).error();
  if (on_host) {
    auto looking = tree_bytes(place.data_root(), deadline);
    const auto bytes = co_await std::move(looking);
    if (!bytes) co_return bytes.error();
    manifest.bytes = *bytes;
  }
  manifest.took_ms = std::chrono::duration_cast<milliseconds>(clock::now() - began).count();
  co_return manifest;
}

BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<sandbox>>> restore_stored(environment where,
                                                                                   stored_snapshot from,
                                                                                   restore_options options) {
  const sandbox_record& source = from.manifest.source;
  const time_point deadline = deadline_after(options.create_timeout);
  environment with_its_runsc = where;
  if (where.runsc.empty()) with_its_runsc.runsc = source.runsc;
  auto finding = find_sandbox_runsc(with_its_runsc, deadline);
  auto binary = co_await std::move(finding);
  if (!binary) co_return std::move(binary).error();
  auto here = base_of(*binary, source.rootfs);
  if (!here) co_return std::move(here).error();
  BERTH_CO_TRY(check_snapshot_base(from.manifest, *here));
  BERTH_CO_TRY(check_volumes(from));
  if ((source.network == network_mode::path) == options.network_path.empty())
    co_return make_error(errc::invalid, "snapshot",
                         options.network_path.empty()
                             ? "the snapshot's sandbox had a network namespace of its caller's: another is needed"
                             : "the snapshot's sandbox had no network namespace of its caller's",
                         "network_path");

  sandbox_config config;
  static_cast<sandbox_own&>(config) = std::move(static_cast<sandbox_own&>(options));
  config.rootfs = source.rootfs;
  config.network = source.network;
  if (source.net) config.max_connections = source.net->max_connections;
  if (source.net && !config.egress) config.egress = source.net->egress;
  if (source.net && config.host_ports.empty()) config.host_ports = source.net->host_ports;
  config.cpus = source.cpus;
  config.memory_bytes = source.memory_bytes;
  config.net_raw = source.net_raw;
  config.packet_socket_write = source.packet_socket_write;
  config.shared_directory = source.shared_directory;
  config.runsc_args = source.runsc_args;
  config.restore_from = sandbox_image{from.image(), from.spec(), from.init(), source.guest, {}};
  auto spec = spec_builder::load(from.spec());
  if (!spec) co_return std::move(spec).error();
  if (const auto copied = host_data_root(*spec)) {
    std::string own(data_root_inside);
    if (source.disk) {
      config.disk = sandbox_disk{{}, source.disk->bytes, own};
      own = std::filesystem::path(source.disk_mount()).filename().string() + "/" + own;
    }
    config.restore_from->directories.push_back({copied->destination, from.data_root(), std::move(own)});
  }
  options.purpose.docker = from.manifest.docker;
  auto creating = sandbox::create(std::move(with_its_runsc), std::move(config));
  auto made = co_await std::move(creating);
  if (!made) co_return made;
  if (auto written = write_purpose((*made)->record().directory, options.purpose); !written) {
    auto ending = past_cancellation((*made)->terminate());
    (void)co_await std::move(ending);
    co_return std::move(written).error();
  }
  co_return made;
}

struct clones_outcome {
  std::vector<std::shared_ptr<sandbox>> made;
  std::optional<error> failed;  // the first
};

inline boost::asio::awaitable<void> clone_one(environment where, stored_snapshot from, restore_options options,
                                              std::shared_ptr<clones_outcome> out) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto restoring = restore_stored(std::move(where), std::move(from), std::move(options));
  auto made = co_await std::move(restoring);
  if (made) out->made.push_back(std::move(*made));
  else if (!out->failed) out->failed = std::move(made).error();
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<stored_snapshot>> take_snapshot(environment where,
                                                                         std::shared_ptr<sandbox> box, std::string name,
                                                                         snapshot_options options) {
  (void)remove_unfinished_snapshots(where);
  auto begun = detail::unfinished_snapshot::begin(where, name);
  if (!begun) co_return std::move(begun).error();
  auto saving = detail::save_sandbox(std::move(box), begun->place(), options);
  auto manifest = co_await std::move(saving);
  if (!manifest) co_return std::move(manifest).error();
  BERTH_CO_TRY(begun->finish(std::move(*manifest)));
  co_return find_snapshot(where, name);
}

BERTH_DECL boost::asio::awaitable<result<std::shared_ptr<sandbox>>> restore_snapshot(environment where,
                                                                                     std::string name,
                                                                                     restore_options options) {
  auto from = find_snapshot(where, name);
  if (!from) co_return std::move(from).error();
  auto restoring = detail::restore_stored(std::move(where), std::move(*from), std::move(options));
  co_return co_await std::move(restoring);
}

BERTH_DECL boost::asio::awaitable<result<std::vector<std::shared_ptr<sandbox>>>> clone_sandbox(
    environment where, std::shared_ptr<sandbox> box, int copies, restore_options options) {
  if (copies < 1 || copies > most_clones)
    co_return make_error(errc::invalid, "snapshot", "between 1 and 1024 copies can be made at once", "count");
  if (copies > 1 && !options.id.empty())
    co_return make_error(errc::invalid, "snapshot", "several copies cannot have one id", "id");
  if (copies > 1 && !options.network_path.empty())
    co_return make_error(errc::invalid, "snapshot", "several copies cannot have one network namespace", "network_path");
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  (void)remove_unfinished_snapshots(where);
  // It never gets a name, so that it goes with this process too; and what nobody waits for on the disk need not be there.
  auto begun = detail::unfinished_snapshot::begin(where, "clone-" + random_token(13));
  if (!begun) co_return std::move(begun).error();
  snapshot_options going_on;
  auto saving = detail::save_sandbox(std::move(box), begun->place(), going_on);
  auto manifest = co_await std::move(saving);
  if (!manifest) co_return std::move(manifest).error();
  stored_snapshot from = begun->place();
  from.manifest = std::move(*manifest);

  const auto out = std::make_shared<detail::clones_outcome>();
  detail::task_group group(co_await boost::asio::this_coro::executor);
  bool whole = true;
  for (int i = 0; i < copies && whole && !out->failed;) {
    if (group.running() < clones_at_once) {
      group.spawn(detail::clone_one(where, from, options, out));
      ++i;
      continue;
    }
    auto waiting = group.wait(time_point::max());
    whole = co_await std::move(waiting);
  }
  auto draining = group.drain(!whole || out->failed);
  const bool drained = co_await std::move(draining);
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  if (drained && !out->failed) co_return std::move(out->made);
  for (const auto& made : out->made) {
    auto ending = past_cancellation(made->terminate());
    (void)co_await std::move(ending);
  }
  if (out->failed) co_return std::move(*out->failed);
  co_return make_error(errc::cancelled, "snapshot", "cancelled; the copies were removed again");
}

}  // namespace berth
