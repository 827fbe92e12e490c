// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/token.hpp>
#include <berth/impl/sandbox/config.ipp>
#include <berth/impl/sandbox/start.ipp>
#include <berth/process/cancellation.hpp>
#include <berth/process/tree.hpp>
#include <berth/process/process.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/name_service.hpp>
#include <berth/sandbox/root_watch.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/obstacle.hpp>
#include <berth/sandbox/detail/remove.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/detail/sleeper.hpp>
#include <berth/sandbox/sandbox_sockets.hpp>
#include <berth/sandbox/detail/disk.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/find_runsc.hpp>
#include <berth/sandbox/reach.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>

namespace berth {

namespace detail {

/// What can only be checked by looking at the machine.
inline result<void> check_sandbox_machine(const sandbox_config& what) {
  if (::geteuid() != 0) {
    return make_error(errc::permission, "sandbox", "making a sandbox needs root", {}, "run berth as root");
  }
  struct stat info {};
  if (::stat(what.rootfs.c_str(), &info) != 0) {
    return errno_error(errno, "sandbox", "cannot open the root file system", what.rootfs);
  }
  if (!S_ISDIR(info.st_mode)) return bad_config("rootfs", "the root file system is no directory: " + what.rootfs);
  if (what.network == network_mode::path) BERTH_TRY(check_network_namespace(what.network_path));
  if (what.disk) BERTH_TRY(check_disk_machine());
  for (const sandbox_mount& mount : what.mounts) {
    if (::stat(mount.source.c_str(), &info) != 0) {
      return errno_error(errno, "sandbox", "cannot open the mount's source", mount.source);
    }
  }
  return {};
}

/// A sandbox sets any mode on what is bound writable, on the bound directory itself too, and berth cannot put a closed
/// directory above one of the user's.
inline void warn_of_open_mounts(const sandbox_config& what, const log_sink& log_to) {
  for (const sandbox_mount& mount : what.mounts) {
    if (mount.read_only || is_inert_mount(mount.source)) continue;
    if (const auto reached = others_reach(mount.source); reached && !*reached) continue;
    log(log_to, log_level::warn,
        "other users of this host get to this volume: the sandbox can leave a setuid program of root's or a device there",
        {{"volume", mount.source},
         {"remedy",
          "keep it below a directory of root's with mode 0700, or on a file system mounted nosuid,nodev; or :ro"}});
  }
}

inline sandbox_record new_record(const std::string& prefix, const sandbox_config& what, const runsc_binary& binary) {
  sandbox_record record;
  record.id = what.id.empty() ? random_token(12) : what.id;
  record.token = prefix + random_token(sandbox_record::token_size - root_prefix_size);
  record.boot_id = read_boot_id();
  record.created_ms =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  record.creator = process_identity::of(::getpid());
  record.ends_with_creator = what.ends_with_creator || what.watch_creator;
  record.watched =
      what.watch_creator || what.owner || what.lifetime != duration::zero() || what.idle_timeout != duration::zero();
  record.idle_timeout_ms = std::chrono::duration_cast<milliseconds>(what.idle_timeout).count();
  record.hibernates = what.hibernate;
  record.owner = what.owner;
  if (what.lifetime != duration::zero())
    record.ends_at_ms = boot_time_ms() + std::chrono::duration_cast<milliseconds>(what.lifetime).count();
  record.rootfs = what.rootfs;
  record.hostname = what.hostname.empty() ? record.id : what.hostname;
  record.network = what.network;
  record.network_path = what.network_path;
  record.cpus = what.cpus;
  record.memory_bytes = what.memory_bytes;
  record.shared_directory = what.shared_directory;
  record.guest = what.shared_directory ? guest_protocol_version : 0;
  if (what.restore_from) record.guest = what.restore_from->guest;
  record.net_raw = what.net_raw;
  record.packet_socket_write = what.packet_socket_write;
  record.runsc_args = what.runsc_args;
  record.runsc = binary.path();
  record.annotations = what.annotations;
  record.pool = what.pool;
  if (what.disk) record.disk = record_disk{what.disk->file, what.disk->bytes};
  return record;
}

inline result<void> make_directories(const sandbox_record& record) {
  for (const std::string& path : {record.runsc_root(), record.bundle(), record.shared(), record.overlay(),
                                  record.logs(), record.runsc_logs(), record.exec_directory()}) {
    if (::mkdir(path.c_str(), 0700) != 0) return errno_error(errno, "sandbox", "cannot make the directory", path);
    ::chmod(path.c_str(), 0700);  // whatever the umask took away
  }
  return {};
}

/// The rules of another sandbox would come first, or ours: nobody could tell.
inline result<void> refuse_ports_of(const sandbox_record& other, const std::vector<published_port>& wanted) {
  for (const published_port& port : wanted)
    for (const published_port& taken : other.net->ports)
      if (port.meets(taken))
        return make_error(errc::exists, "sandbox",
                          "the port " + std::to_string(port.host_port) + " of this host leads to the sandbox " +
                              other.id + " already",
                          port.word(), "publish another port of the host, or " + hints::remove_sandbox(other.id));
  return {};
}

inline boost::asio::awaitable<result<void>> make_network(environment where, std::string root, sandbox_record& record,
                                                         std::vector<std::string> nameservers,
                                                         const sandbox_config& what, time_point deadline) {
  auto pool = parse_ipv4_subnet(where.network_pool);
  if (!pool) co_return std::move(pool).error();
  auto lock = co_await network_lock::acquire(deadline);
  if (!lock) co_return std::move(lock).error();
  std::vector<ipv4_subnet> used;  // of those whose link is not up yet, or no more
  if (auto entries = list_state_directories(root)) {
    for (const std::string& id : entries->ids) {
      auto other = read_record(root + "/" + id);
      if (!other || !other->net) continue;
      used.push_back(other->net->subnet);
      if (other->boot_id == record.boot_id) BERTH_CO_TRY(refuse_ports_of(*other, what.ports));
    }
  }
  auto plan = plan_network(record.token, *pool, std::move(used), std::move(nameservers));
  if (!plan) co_return std::move(plan).error();
  plan->max_connections = what.max_connections.value_or(default_max_connections);
  plan->egress = what.egress.value_or(egress_policy::all());
  plan->ports = what.ports;
  plan->host_ports = what.host_ports;
  BERTH_CO_TRY(check_host_ports_free(plan->ports));
  BERTH_CO_TRY(check_host_addresses(plan->host_ports));
  record.net = record_network{plan->subnet, plan->mtu,         plan->max_connections, plan->egress,
                              plan->ports,  plan->nameservers, plan->host_ports};
  BERTH_CO_TRY(write_record(record));
  network_plan made = *plan;
  co_return co_await create_network(std::move(made), where.log, deadline);
}

/// `below` and what leads to it, in `directory`.
inline result<void> make_below(std::string directory, const std::filesystem::path& below) {
  for (const auto& part : below) {
    directory += "/" + part.string();
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
      return errno_error(errno, "sandbox", "cannot make the directory", directory);
  }
  return {};
}

/// What was saved of the host's directories, each a copy that goes with the sandbox.
inline boost::asio::awaitable<result<void>> copy_saved_directories(const sandbox_record& record,
                                                                   const sandbox_image& image, time_point deadline) {
  for (const saved_directory& saved : image.directories) {
    BERTH_CO_TRY(make_below(record.directory, std::filesystem::path(saved.own).parent_path()));
    auto copying = copy_tree(saved.copy, record.directory + "/" + saved.own, deadline);
    BERTH_CO_TRY(co_await std::move(copying));
  }
  co_return result<void>();
}

inline boost::asio::awaitable<result<void>> build_sandbox(const environment& where, const std::string& root,
                                                          sandbox_record& record, const sandbox_config& what,
                                                          const runsc_binary& binary, const std::string& init,
                                                          time_point deadline) {
  enter_phase(where, "directories");
  BERTH_CO_TRY(make_directories(record));
  if (record.shared_directory) {
    enter_phase(where, "shared");
    BERTH_CO_TRY(mount_shared(record.shared()));
  }
  resolver_config resolver;
  if (record.network != network_mode::none) {
    resolver = read_resolver_config();
    if (resolver.nameservers.empty()) {
      log(where.log, log_level::warn, "no name server that a sandbox can reach; names will not resolve",
          {{"file", "/etc/resolv.conf"}});
    }
  }
  if (record.network == network_mode::sandbox) {
    enter_phase(where, "network");
    BERTH_CO_TRY(co_await make_network(where, root, record, resolver.nameservers, what, deadline));
    if (!record.net->egress->named.empty()) BERTH_CO_TRY(ensure_names(root, init, record.token));
  }
  enter_phase(where, "root");
  sandbox_config mounted = what;
  if (auto done = mount_root(record)) {
    mounted.rootfs = record.root();
  } else if (done.error().code == errc::unsupported) {
    log(where.log, log_level::warn,
        "no layer over the root file system; runsc makes the mount points that it lacks in it",
        {{"rootfs", record.rootfs}, {"error", done.error().to_string()}});
  } else {
    co_return std::move(done).error();
  }
  if (record.disk) {
    enter_phase(where, "disk");
    auto mounting = mount_disk(record, deadline);
    BERTH_CO_TRY(co_await std::move(mounting));
    if (!what.restore_from) BERTH_CO_TRY(make_below(record.disk_mount(), what.disk->directory));
  }
  if (what.restore_from) {
    auto copying = copy_saved_directories(record, *what.restore_from, deadline);
    BERTH_CO_TRY(co_await std::move(copying));
  }
  enter_phase(where, "bundle");
  BERTH_CO_TRY(write_bundle(record, mounted, init, resolver));
  if (what.restore_from && record.guest != 0) BERTH_CO_TRY(write_restored_wake(record, false));
  if (co_await was_cancelled()) co_return make_error(errc::cancelled, "sandbox", "the creation was cancelled");
  enter_phase(where, "runsc");
  std::optional<std::string> image;
  if (what.restore_from) image = what.restore_from->directory;
  auto starting = start_runsc(record, std::move(image), binary, deadline);
  BERTH_CO_TRY(co_await std::move(starting));
  if (record.idle_timeout_ms != 0) BERTH_CO_TRY(find_sandbox_sockets(record));  // what it is woken by
  record.phase = record_phase::running;
  BERTH_CO_TRY(write_record(record));
  enter_phase(where, "running");
  co_return result<void>();
}

struct created_sandbox {
  std::string root;
  sandbox_record record;
  runsc_binary binary;
};

inline boost::asio::awaitable<result<created_sandbox>> create_sandbox(environment where, sandbox_config what) {
  BERTH_CO_TRY(check_sandbox_config(where, what));
  BERTH_CO_TRY(check_sandbox_machine(what));
  warn_of_open_mounts(what, where.log);
  auto init = find_init(where);
  if (!init) co_return std::move(init).error();
  auto root = open_root(where.root);
  if (!root) co_return std::move(root).error();
  const time_point deadline = deadline_after(what.create_timeout);
  environment resolved = where;
  resolved.root = *root;
  auto binary = co_await find_sandbox_runsc(std::move(resolved), deadline);
  if (!binary) co_return std::move(binary).error();

  enter_phase(where, "record");
  auto prefix = make_root_prefix(*root);
  if (!prefix) co_return std::move(prefix).error();
  sandbox_record record = new_record(*prefix, what, *binary);
  BERTH_CO_TRY(check_sleeper(record, *init));
  auto lock = make_state_directory(*root, record);
  for (int attempt = 0; !lock && attempt < 5; ++attempt) {
    // A made-up id that is taken, or a garbage collector that was quicker.
    const errc code = lock.error().code;
    if (code != errc::again && code != errc::not_found && !(code == errc::exists && what.id.empty())) break;
    record = new_record(*prefix, what, *binary);
    lock = make_state_directory(*root, record);
  }
  if (!lock) co_return std::move(lock).error();

  creation_guard guard;
  result<void> built;
  std::exception_ptr thrown;  // out of memory, or by a function of the caller's
  try {
    if (record.watched) {
      guard = creation_guard(record.directory);
      built = ensure_watch(*root, *init);
    }
    if (built) built = co_await build_sandbox(where, *root, record, what, *binary, *init, deadline);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!built || thrown) {
    error e = built ? error() : std::move(built).error();
    if (!built && record.ends_at_ms != 0 && boot_time_ms() >= record.ends_at_ms)
      e = make_error(errc::timeout, "sandbox", "the sandbox's lifetime was over before it was up", record.id,
                     "give it more time");
    auto undoing = past_cancellation(remove_resources(where, record));
    auto undone = co_await std::move(undoing);
    if (!undone) {
      e.detail += (e.detail.empty() ? "" : "\n") + std::string("and not all could be removed; to try again, ") +
                  hints::collect_garbage() + ": " + undone.error().to_string();
    }
    if (thrown) std::rethrow_exception(thrown);
    co_return e;
  }
  guard.done();
  co_return created_sandbox{*root, std::move(record), *binary};
}

}  // namespace detail

}  // namespace berth
