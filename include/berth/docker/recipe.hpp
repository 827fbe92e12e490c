// SPDX-License-Identifier: Apache-2.0
// What a spec needs so that Docker works in the sandbox, as mutations of the spec and nothing else.
#pragma once

#include <berth/base/log.hpp>
#include <berth/docker/registries.hpp>
#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// What the sandbox sees at /sys/fs/cgroup.
enum class cgroup_mode {
  /// The sandbox's own cgroups, made by gVisor (an OCI mount of type cgroup). Needs runsc of 2024 or later. Nothing
  /// inside can see or change the host's.
  sandbox,
  /// The host's /sys/fs/cgroup, writable. Never safe: from inside, host processes can be frozen and host cgroups made;
  /// and Docker does not work with it, since it sees a 9p mount: the start of dockerd fails at once. For those who must
  /// have what an older write-up describes.
  host_bind,
  /// No mount is added; one that is there stays. Without one the start of dockerd fails at once.
  none,
};

/// Where Docker keeps images and containers.
struct docker_data_root {
  enum class kind {
    tmpfs,      ///< in the sandbox's memory; gone with it
    directory,  ///< a directory of the host; images outlive the sandbox. overlay2 on it needs runsc 20260520.0
  };
  kind where = kind::tmpfs;
  /// Bytes. Of a tmpfs: 0 is half of the spec's memory limit, where it has one. Of a directory: what is in it lies in a file
  /// system of that size, which only a managed sandbox can have; 0 is as it is, and without a limit where it has no size yet.
  std::uint64_t size = 0;
  std::string directory = {};  ///< on the host, absolute
};

struct docker_recipe {
  cgroup_mode cgroup = cgroup_mode::sandbox;
  std::optional<docker_data_root> data_root = {};  ///< none: the root file system, where Docker 29 cannot use overlayfs
  std::string data_root_path = "/var/lib/docker";  ///< in the sandbox
  /// Makes a read-only root writable. dockerd writes to /run, to its data root and, up to 20.10, to /etc/docker; on a
  /// root that stays read-only it ends with "mkdir /var/run/docker: read-only file system" unless those are mounts of
  /// their own. Off: such a root is left as it is, with a warning.
  bool writable_root = false;
  /// CAP_SYS_RESOURCE beside the 17: nested containers may raise limits (`ulimits: memlock: -1`, as search engines' compose
  /// files have). A managed sandbox has it.
  bool raise_limits = false;
  /// berth-init on the host, absolute, bound in at docker_guest_path: it starts dockerd, and is the nested runtime. A managed
  /// sandbox has it there. Empty: none is added.
  std::string guest = {};
  /// What Docker knows of registries, in a managed sandbox. apply_docker, which changes nothing but a spec, leaves it alone.
  docker_registries registries = {};
};

/// The capabilities that gVisor's own Docker tests run with: 17.
inline constexpr std::string_view docker_capabilities[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",     "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",     "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_NET_RAW",
    "CAP_SETFCAP",     "CAP_SETGID",    "CAP_SETPCAP",          "CAP_SETUID",    "CAP_SYS_ADMIN",
    "CAP_SYS_CHROOT",  "CAP_SYS_PTRACE"};

/// Where the guest program is inside, as a managed sandbox's first process too.
inline constexpr std::string_view docker_guest_path = "/.berth/init";

/// Applies the recipe, wholly or not at all; again changes nothing more. Logs to `log` the lines that users were
/// promised, and warnings: in mode host_bind, for a root that is read-only or absent, for capabilities that berth does not
/// know. Returns what was seen to, in words, one item a step. Errors: invalid, with the pointer, where the spec has no
/// process or that no arguments; as the sections'; spec_path for a data root that is not absolute.
BERTH_DECL result<std::vector<std::string>> apply_docker(spec_builder& spec, const docker_recipe& recipe = {},
                                                         const log_sink& log = {});

/// "sandbox", "host-bind" or "none"; else `invalid`.
BERTH_DECL result<cgroup_mode> parse_cgroup_mode(std::string_view word);
BERTH_DECL std::string_view cgroup_mode_name(cgroup_mode mode) noexcept;

/// "tmpfs", "tmpfs:SIZE" (as parse_byte_size reads it), an absolute directory, or that and ":SIZE"; else `invalid`. A colon and a
/// digit in the last name of a path begin a size; a directory that is called so has a slash after it.
BERTH_DECL result<docker_data_root> parse_data_root(std::string_view word);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/recipe.ipp>
#endif
