// What a managed sandbox is to be.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace berth {

/// Where a sandbox's network comes from.
enum class network_mode {
  sandbox,    ///< a network namespace of its own with veth, address, default route and NAT on the host
  none,       ///< loopback only
  path,       ///< a namespace that the caller made (CNI), by path
};

struct bind_mount {
  std::string source;
  std::string destination;
  bool read_only = false;
};

/// Everything about a sandbox but Docker, which the docker layer adds through `edit_spec` and the hooks below.
struct sandbox_config {
  std::string id;                          ///< empty: berth makes one up; else at most 63 characters
  std::string rootfs;                      ///< absolute; never written to (the writes go to an overlay)
  network_mode network = network_mode::sandbox;
  std::string network_path;                ///< for network_mode::path
  double cpus = 0;                         ///< 0: no limit
  std::uint64_t memory_bytes = 0;          ///< 0: no limit
  std::string hostname;                    ///< empty: the id
  std::vector<std::string> env;            ///< the default environment of what runs inside
  std::string cwd = "/";
  std::vector<bind_mount> mounts;
  std::vector<std::pair<std::string, std::string>> annotations;  ///< kept in the record too, shown by list

  bool net_raw = false;                    ///< runsc --net-raw
  bool packet_socket_write = false;        ///< --allow-packet-socket-write, under the name that the binary has
  bool shared_directory = true;            ///< a guarded tmpfs of the sandbox's own at /run/berth inside, --host-uds=create
  std::vector<std::string> runsc_args;     ///< further global flags, passed on as they are (checked against the binary)

  /// The last word on the OCI spec, after berth's own. An error ends the creation.
  std::function<result<void>(spec_builder&)> edit_spec;
};

/// Where berth keeps its state and finds its helpers.
struct environment {
  std::string root = "/var/lib/berth";     ///< one directory a sandbox, 0700; short, as sockets live below it
  std::string runsc;                       ///< empty: the first on PATH
  std::string init;                        ///< berth-init; empty: $BERTH_INIT, beside the program, or the install place
  log_sink log;

  /// From BERTH_ROOT, BERTH_RUNSC, BERTH_INIT of the given "K=V" list, else the defaults.
  static environment from(const std::vector<std::string>& env);
};

}  // namespace berth
