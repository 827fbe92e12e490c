// SPDX-License-Identifier: Apache-2.0
// What berth knows of a sandbox, kept on disk so that any process can find it, use it and remove it.
#pragma once

#include <berth/network/plan.hpp>
#include <berth/sandbox/process_identity.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

/// Where a sandbox's network comes from.
enum class network_mode {
  sandbox,  ///< a network namespace of its own with veth, address, default route and NAT on the host
  none,     ///< loopback only
  path,     ///< a namespace that the caller made (CNI), by path
};
BERTH_DECL std::string_view network_mode_name(network_mode mode) noexcept;  ///< "sandbox", "none", "path"

/// How far a sandbox has come. A record says "creating" before the first resource is made, "removing" before the first one
/// is taken away, and "hibernated" before its programs are saved to the disk: it is that once its process is gone.
enum class record_phase { creating, running, hibernated, removing };
BERTH_DECL std::string_view record_phase_name(record_phase phase) noexcept;

/// The subnet and what goes with it, in network_mode::sandbox.
struct record_network {
  ipv4_subnet subnet;
  int mtu = 1500;
  std::uint32_t max_connections = default_max_connections;  ///< 0: no limit
  std::optional<egress_policy> egress = {};                 ///< none: made by a berth that knew of none
  std::vector<published_port> ports = {};                   ///< of the host's, that lead to it
  std::vector<std::string> nameservers = {};              ///< that its questions go to, IPv4: those of its resolv.conf
  std::vector<host_port> host_ports = {};                 ///< of the host's own, that it may reach
  std::string address() const { return subnet.host(2); }  ///< the sandbox's own, where published ports are served
  std::string gateway() const { return subnet.host(1); }  ///< the host's end
};

/// The pool that a sandbox was made for, and waits in until somebody takes it.
struct record_pool {
  std::string name;
  std::string source;  ///< what it was made from: a pool has use for what is as its own copies are
};

/// Its disk, mounted at sandbox_record::disk_mount() while it lasts.
struct record_disk {
  std::string file;         ///< empty: in the sandbox's directory
  std::uint64_t bytes = 0;  ///< 0: as large as it is
};

/// <root>/<id>/record.json. Every outside resource follows from what stands here: names are made of `token`.
struct sandbox_record {
  static constexpr int current_version = 1;
  static constexpr std::size_t token_size = 13;
  static constexpr std::string_view daemon_log_name = "docker.log";
  static constexpr std::string_view command_log_name = "command.log";

  std::string id;
  std::string directory;  ///< <root>/<id>; not stored
  bool damaged = false;   ///< the record cannot be read; only id, directory and damage are set
  std::string damage;     ///< why

  int version = current_version;
  std::string token;  ///< in the names of network, cgroup and runsc container
  record_phase phase = record_phase::creating;
  std::string boot_id;               ///< of the boot that it was made in: nothing but files outlives that
  std::int64_t created_ms = 0;       ///< Unix time
  process_identity creator;          ///< who makes or made it
  bool ends_with_creator = false;    ///< collect_garbage removes it once the creator is gone
  bool watched = false;              ///< by the root's watch: it ends with its creator and owner at once, and in time
  process_identity owner;            ///< none, or another's: it ends with that one too, also after it was handed over
  std::int64_t ends_at_ms = 0;       ///< its lifetime is over then (CLOCK_BOOTTIME); 0: it has none
  std::int64_t idle_timeout_ms = 0;  ///< it falls asleep when nobody has used it for so long; 0: never
  bool hibernates = false;           ///< it falls asleep on the disk, and not in memory
  process_identity sandbox_process;  ///< runsc's sandbox process on this host, once it runs

  std::string rootfs;
  std::string hostname;
  network_mode network = network_mode::sandbox;
  std::string network_path;
  std::optional<record_network> net;  ///< once it is chosen
  double cpus = 0;
  std::uint64_t memory_bytes = 0;
  bool shared_directory = true;
  std::uint32_t guest = 0;              ///< the version of the guest's protocol that its first process speaks; 0: none
  bool net_raw = false;                 ///< --net-raw: `runsc exec` drops CAP_NET_RAW where it is not given again
  bool packet_socket_write = false;     ///< --allow-packet-socket-write
  std::vector<std::string> runsc_args;  ///< further global options that it was made with
  std::string runsc;                    ///< the binary's path
  std::vector<std::pair<std::string, std::string>> annotations;
  std::optional<record_disk> disk;  ///< none: what is bound into it is the host's own
  std::optional<record_pool> pool;  ///< none: it is in no pool, or somebody has taken it

  /// Whether it waits in a pool. One that is still made ready there ends with whoever makes it.
  bool waits_in_pool() const noexcept {
    return !damaged && pool && phase == record_phase::running && !ends_with_creator;
  }

  // Where things are.
  std::string runsc_root() const { return directory + "/run"; }  ///< runsc --root
  std::string container_id() const { return token; }             ///< runsc's name for it
  std::string bundle() const { return directory + "/bundle"; }
  std::string shared() const { return directory + "/shared"; }
  std::string overlay() const { return directory + "/overlay"; }
  std::string root() const { return directory + "/root"; }              ///< the root file system as runsc gets it
  std::string root_layer() const { return directory + "/root-layer"; }  ///< what lies over it: missing mount points
  std::string disk_mount() const { return directory + "/disk"; }
  /// Empty where it has no disk.
  std::string disk_file() const {
    return !disk ? std::string() : disk->file.empty() ? directory + "/disk.ext4" : disk->file;
  }
  std::string logs() const { return directory + "/logs"; }
  std::string runsc_logs() const { return directory + "/logs/runsc"; }   ///< --debug-log, private
  std::string init_log() const { return directory + "/logs/init.log"; }  ///< what init and runsc run printed
  /// dockerd's lines, where the guest keeps it: in the shared directory, hostile ground. An older part is in daemon_log() +
  /// ".1".
  std::string daemon_log() const { return shared() + "/" + std::string(daemon_log_name); }
  /// What the command that the guest keeps has printed: hostile ground, as daemon_log().
  std::string command_log() const { return shared() + "/" + std::string(command_log_name); }
  std::string exec_directory() const { return directory + "/exec"; }
  /// linux.cgroupsPath; only made when there are limits.
  std::string cgroups_path() const { return "/berth-" + token; }
  bool has_limits() const noexcept { return cpus > 0 || memory_bytes > 0; }
  network_names names() const { return network_names::of(token); }
  /// Whether the sandbox's process is there and has not exited. Of an earlier boot it is not, whatever has its number now.
  BERTH_DECL bool process_alive() const;
  /// Whether its programs are there to be talked to.
  bool is_up() const {
    return (phase == record_phase::running || phase == record_phase::hibernated) && process_alive();
  }
  /// Whether its programs are on the disk, and go on at its next use.
  bool is_hibernated() const { return is_saved() && !sandbox_process.alive(); }
  /// Whether it runs, or is hibernated.
  bool lives() const { return process_alive() || is_saved(); }
  /// The value of an annotation, or empty.
  BERTH_DECL std::string annotation(std::string_view key) const;

 private:
  BERTH_DECL bool is_saved() const;
};

/// The record as JSON text.
BERTH_DECL std::string format_record(const sandbox_record& record);
/// Reads the text. `directory` is left empty. Errors: record_damaged.
BERTH_DECL result<sandbox_record> parse_record(std::string_view json);

/// Replaces <directory>/record.json atomically. Not synced to the disk: after a power failure nothing that it speaks of
/// is there but files, and those are found without it. What could not be read again is not written. Errors: io,
/// permission, not_found, invalid (a NUL in a text), too_big (more than 1 MiB).
BERTH_DECL result<void> write_record(const sandbox_record& record);
/// Reads <directory>/record.json. Errors: not_found, record_damaged, permission, io.
BERTH_DECL result<sandbox_record> read_record(const std::string& directory);

namespace detail {
BERTH_DECL error damaged_record(std::string why);
}

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/record.ipp>
#endif
