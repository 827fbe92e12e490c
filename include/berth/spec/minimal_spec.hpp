// SPDX-License-Identifier: Apache-2.0
// A spec from nothing, for a sandbox that berth manages.
#pragma once

#include <berth/spec/capabilities.hpp>
#include <berth/spec/mounts.hpp>
#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

struct minimal_spec_options {
  std::vector<std::string> args = {};  ///< at least one
  std::vector<std::string> env = {};   ///< "K=V"; without a PATH the usual one is put in
  std::string cwd = "/";
  std::string rootfs = {};  ///< absolute, or relative to the bundle
  bool readonly_root = false;
  bool terminal = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string hostname = {};                   ///< empty: none
  std::string network_namespace = {};          ///< a path to join; empty: a new one
  std::vector<std::string> capabilities = {};  ///< in the usual four sets; empty: Docker's default fourteen
  std::vector<spec_mount> mounts = {};         ///< behind /proc, /dev, /sys, /dev/pts, /dev/shm and /dev/mqueue
  std::optional<double> cpus = {};
  std::optional<std::int64_t> memory_bytes = {};
  std::string cgroups_path = {};  ///< empty: what runsc makes of the container's id
};

/// Errors as the sections' own.
BERTH_DECL result<spec_builder> minimal_spec(const minimal_spec_options& options);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/minimal_spec.ipp>
#endif
