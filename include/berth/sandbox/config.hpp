// SPDX-License-Identifier: Apache-2.0
// What a managed sandbox is to be.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/record.hpp>
#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

struct sandbox_mount {
  std::string source;
  std::string destination;
  bool read_only = false;
};

/// A directory of the host's that was bound into a sandbox and saved with it.
struct saved_directory {
  std::string inside;  ///< where it is bound
  std::string copy;    ///< as it was when the sandbox was saved
  std::string own;     ///< where the restored sandbox has its own copy of that: a path below its directory
};

/// A file system of a size of its own in a file of the host's, of which a directory is bound into the sandbox: where `edit_spec`
/// has added a bind mount whose source is `file`. One that is restored binds there what was saved of it (saved_directory::own).
struct sandbox_disk {
  std::string file;  ///< absolute; made where it is missing. Empty: in the sandbox's own directory, and goes with it
  std::uint64_t bytes = 0;  ///< at least least_disk; one that is smaller grows. 0: as large as it is
  std::string directory;    ///< in the file system, what is bound; made where it is missing
};
inline constexpr std::uint64_t least_disk = 64u << 20;  ///< bytes

/// What sandbox::checkpoint left, and what was there with it: a sandbox can be restored from that, as often as wanted.
struct sandbox_image {
  std::string directory;    ///< runsc's checkpoint image
  std::string spec;         ///< a copy of the spec that its sandbox ran by, a file
  std::string init;         ///< a copy of its first process's program: pages of it are not in the image
  std::uint32_t guest = 0;  ///< sandbox_record::guest
  std::vector<saved_directory> directories;
};

/// What each sandbox has of its own, one that is started and one that is restored alike.
struct sandbox_own {
  std::string id;            ///< empty: berth makes one up; else [A-Za-z0-9_][A-Za-z0-9_.+-]{0,62}
  std::string hostname;      ///< empty: the id
  std::string network_path;  ///< for network_mode::path
  /// Kept in the record, shown by list_sandboxes. UTF-8 without NUL, at most 128 KiB in all.
  std::vector<std::pair<std::string, std::string>> annotations;

  // For network_mode::sandbox:
  /// Where it may begin connections to. None: everywhere; restored, the saved one's. sandbox::set_egress changes it.
  std::optional<egress_policy> egress;
  std::vector<published_port> ports;  ///< of the host's, that lead to it; the saved one's lead to that
  /// Of the host's own, that it may reach, whatever its egress policy is; restored, and none given, the saved one's. Without them
  /// the host is not reached from inside.
  std::vector<host_port> host_ports;

  bool ends_with_creator = false;  ///< collect_garbage removes it once the process that made it is gone
  /// Besides, it is ended at once when that process ends, by whatever: one process of berth-init's on the host watches over all
  /// such sandboxes of a root directory. What is left on the host is removed where the berth command is installed, else by
  /// collect_garbage.
  bool watch_creator = false;
  /// Another process whose end ends it at once as well, also after sandbox::hand_over; none: pid 0.
  process_identity owner;
  /// So long after the beginning of its creation it is stopped; its record stays. 0: never.
  duration lifetime = duration::zero();
  /// It falls asleep when nobody has used it for so long, and wakes by its next use: as paused, it keeps its memory and takes no
  /// CPU time. At least a second; 0: never. Needs a shared directory, and ptrace's rights over the sandbox's process.
  duration idle_timeout = duration::zero();
  /// When it falls asleep it is saved to the disk, in its directory below environment::root, and takes no memory until its next
  /// use, which goes on from there: as a snapshot does, but it is the same sandbox. Goes with idle_timeout, and needs the berth
  /// command (find_command).
  bool hibernate = false;
  duration create_timeout = seconds(60);  ///< for the whole creation

  /// It is made for this pool: once it is handed over it waits there, for sandbox::claim.
  std::optional<record_pool> pool;
};

/// Everything about a sandbox but Docker, which the docker layer adds through `edit_spec` and the fields below.
struct sandbox_config : sandbox_own {
  std::string rootfs;  ///< absolute; never written to (the writes go to an overlay)
  network_mode network = network_mode::sandbox;
  /// How many entries it may hold in the host's connection tracking, for network_mode::sandbox: what goes out beyond that
  /// is dropped, and counted (count_refused_connections). None: default_max_connections; 0: no limit.
  std::optional<std::uint32_t> max_connections;
  double cpus = 0;                 ///< 0: no limit; else at least 0.01
  std::uint64_t memory_bytes = 0;  ///< 0: no limit; else at least 64 MiB, gVisor's own share included
  std::vector<std::string> env;    ///< "K=V": the environment of everything inside, besides PATH and HOME
  std::string cwd = "/";           ///< where commands start
  std::vector<sandbox_mount> mounts;
  std::optional<sandbox_disk> disk;

  bool net_raw = false;              ///< runsc --net-raw
  bool packet_socket_write = false;  ///< --allow-packet-socket-write, under the name that the binary has
  bool shared_directory = true;      ///< a guarded tmpfs of the sandbox's own at /run/berth inside, --host-uds=create
  std::vector<std::string> runsc_args;  ///< further global flags, passed on as they are (checked against the binary)

  /// Restored from this rather than started: then mounts, environment, limits and all else that stands in the spec are those of
  /// the image, and the fields here that say the same must be as they were; what is in sandbox_own is its own.
  std::optional<sandbox_image> restore_from;

  /// The last word on the OCI spec, after berth's own. An error ends the creation.
  std::function<result<void>(spec_builder&)> edit_spec;
};

/// Where berth keeps its state and finds its helpers.
struct environment {
  std::string root = "/var/lib/berth";         ///< one directory a sandbox, 0700; short, as sockets live below it
  std::string runsc;                           ///< a path, or a name on PATH; empty: "runsc"
  std::string init;                            ///< berth-init; empty: beside the program, or the install place
  std::string network_pool = "10.211.0.0/16";  ///< sandboxes get their /30 out of this
  log_sink log;
  /// Called as each phase begins: of a creation "record", "directories", "shared", "network", "root", "disk", "bundle", "runsc",
  /// "running" (the last when it runs); of a removal "kill", "network", "shared", "cgroups", "directories". For progress,
  /// timings, and tests that break off in between.
  std::function<void(std::string_view phase)> on_phase;

  /// From BERTH_ROOT, BERTH_RUNSC, BERTH_INIT and BERTH_NETWORK_POOL of the given "K=V" list, else the defaults.
  BERTH_DECL static environment from(const std::vector<std::string>& env);
};

/// `where.root` without symlinks, made (0700) where it is absent and `make`. Errors: invalid, permission, io; not_found.
BERTH_DECL result<std::string> root_directory(const environment& where, bool make);

/// Whether `id` can name a sandbox of berth's. Errors: invalid.
BERTH_DECL result<void> check_sandbox_id(std::string_view id);

/// Everything about a config and an environment that can be checked without looking at the machine: names, ranges, absolute
/// paths. Pure. Errors: invalid, with the field in `path`. What `root` leads to is looked at when it is opened: it may have
/// none of , : * ? [ and backslash in it, which runsc cannot take, and 77 characters together with the id, which the path
/// of a unix socket has to hold.
BERTH_DECL result<void> check_sandbox_config(const environment& where, const sandbox_config& what);

namespace detail {
/// Errors: invalid.
BERTH_DECL result<void> check_idle_timeout(duration how_long, bool shared_directory);
/// The same, and whether it may sleep on the disk (`hibernate`). Errors: invalid.
BERTH_DECL result<void> check_sleep(duration idle_timeout, bool hibernate, network_mode network, bool shared_directory);
/// Whether a sandbox with this network can be hibernated. Errors: unsupported.
BERTH_DECL result<void> check_hibernation(network_mode mode);
/// Why egress cannot be enforced for a sandbox with this network, if so. Pure.
BERTH_DECL std::optional<error> egress_obstacle(network_mode mode);
}  // namespace detail

/// The berth-init to use: `where.init`, else ../libexec/berth/berth-init beside the running program, else the place that
/// it was installed to (BERTH_LIBEXEC_DIR when compiled). Errors: not_found, saying where it was looked for.
BERTH_DECL result<std::string> find_init(const environment& where);

/// The berth program that belongs to a berth-init: in the same directory or installation, else one in the usual places; empty
/// where there is none. It does what has to be done when nobody is there for it: removes what is left of a sandbox whose creator was
/// killed, fills a pool.
BERTH_DECL std::string find_command(const std::string& init);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/config.ipp>
#endif
