// SPDX-License-Identifier: Apache-2.0
// The mounts of the container, in the order in which they are made.
#pragma once

#include <berth/spec/spec_builder.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth {

struct spec_mount {
  std::string destination = {};  ///< absolute, without `..`; written as it is after lexical cleaning
  std::string type = {};         ///< "bind", "tmpfs", "proc", "cgroup" …
  std::string source = {};
  std::vector<std::string> options = {};

  bool operator==(const spec_mount&) const = default;
};

/// `/mounts`. Destinations are compared after lexical cleaning: `/a//b/./` is `/a/b`. One that is relative or has `..`
/// is spec_path. A handle on a builder, which must outlive it.
class spec_mounts {
 public:
  explicit spec_mounts(spec_builder& spec) noexcept : spec_(spec) {}

  /// The one mount at its destination: every other there is taken away. It stands where the first of them stood, or
  /// before the first mount beneath it, or last; never before a mount above it; mounts beneath that came after stay
  /// after.
  BERTH_DECL result<void> set(const spec_mount& mount);

  /// As `set` where the destination is free; nothing when this very mount is there; `exists` when another is.
  BERTH_DECL result<void> add(const spec_mount& mount);

  BERTH_DECL result<void> remove(std::string_view destination);  ///< every mount at it; those beneath it stay
  BERTH_DECL result<void> clear();

  BERTH_DECL std::optional<spec_mount> get(std::string_view destination) const;  ///< the last one there, which wins
  BERTH_DECL std::vector<spec_mount> list() const;

 private:
  spec_builder& spec_;
};

/// A directory or file of the host: `rbind`, with `ro` or `rw`. The source is on the host.
BERTH_DECL spec_mount bind_mount(std::string source, std::string destination, bool readonly = false);

/// A tmpfs of at most `size` bytes (0: no limit of its own), mode in octal.
BERTH_DECL spec_mount tmpfs_mount(std::string destination, std::uint64_t size = 0, unsigned mode = 0755);

/// Whether it can be a mount's destination: absolute, without `..`.
BERTH_DECL bool is_mount_path(std::string_view path) noexcept;

/// The path without repeated slashes, `.` components and a slash at its end, as Go's path.Clean does; `..` stays.
BERTH_DECL std::string clean_path(std::string_view path);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/spec/mounts.ipp>
#endif
