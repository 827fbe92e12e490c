// SPDX-License-Identifier: Apache-2.0
// The options in front of runsc's verb.
#pragma once

#include <berth/base/result.hpp>
#include <berth/runsc/binary.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// A command line, argv[0] being the binary's path.
using runsc_argv = std::vector<std::string>;

enum class runsc_network { sandbox, none, host };
enum class runsc_host_uds { none, open, create, all };
enum class runsc_file_access { exclusive, shared };
enum class runsc_log_format { text, json, json_k8s };

/// Global options. What is empty, nullopt or zero is left to runsc's default and not emitted; what is emitted comes as
/// `--name=value`, always in the order below, and only when the binary has it.
struct runsc_globals {
  std::string root;  ///< --root: where runsc keeps its state; required, absolute
  /// --debug-log: a private directory (0700, made by the caller) that gets one file a command; required for the verbs
  /// that start sandbox processes (run, create, restore), optional for the others. It holds the true cause where runsc
  /// itself says only "waiting for sandbox to start: EOF": see diagnose.hpp.
  std::string debug_log;
  std::string log;                               ///< --log: runsc's own errors, as JSON lines with log_format json
  std::optional<runsc_log_format> log_format;    ///< --log-format
  bool debug = false;                            ///< --debug: verbose, slow
  std::string platform;                          ///< --platform: systrap, kvm, ptrace
  std::optional<runsc_network> network;          ///< --network
  bool net_raw = false;                          ///< --net-raw: Docker needs it
  bool packet_socket_write = false;              ///< under the name that the binary has; Docker 28 and later need it
  std::optional<runsc_host_uds> host_uds;        ///< --host-uds: `create` lets the host reach a socket bound inside
  std::string overlay2;                          ///< --overlay2: "none", "root:self", "root:memory", "root:dir=/abs"…
  std::optional<runsc_file_access> file_access;  ///< --file-access
  std::optional<bool> directfs;                  ///< --directfs
  std::optional<int> dcache;                     ///< --dcache
  std::optional<int> fdlimit;                    ///< --fdlimit
  std::optional<bool> ignore_cgroups;            ///< --ignore-cgroups
  std::optional<bool> systemd_cgroup;            ///< --systemd-cgroup
  std::optional<bool> rootless;                  ///< --rootless
  std::optional<bool> oci_seccomp;               ///< --oci-seccomp
  std::optional<bool> allow_suid;                ///< --allow-suid
  std::optional<bool> gso;                       ///< --gso
  std::optional<bool> software_gso;              ///< --software-gso
  std::optional<bool> mount_cgroup_v2;           ///< --mount-cgroup-v2: experimental, from 20260810.0
  std::optional<bool> allow_connected_on_save;   ///< --allow-connected-on-save
  std::vector<std::string> extra_args;           ///< "--name" or "--name=value", last; the names are checked as well
};

/// `binary --root=… …` up to the verb, which the caller of this appends; the verbs' own functions (args.hpp) do that.
/// Errors: invalid (a required option is missing, a path is relative, a NUL, an extra argument that is no option or
/// that repeats a typed one), runsc_flag_unsupported with the release that brought it.
BERTH_DECL result<runsc_argv> runsc_globals_argv(const runsc_binary& binary, const runsc_globals& globals);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/globals.ipp>
#endif
