// SPDX-License-Identifier: Apache-2.0
// A container's memory cgroup (v1), as gVisor shows it inside a sandbox.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

class memory_cgroup {
 public:
  explicit memory_cgroup(std::string directory);

  /// False where it is gone: usage() may go on to tell what it was.
  bool exists() const;
  /// Bytes that its processes' memory and what they have written to tmpfs take; nothing where it cannot be read.
  std::optional<std::uint64_t> usage() const;
  /// In bytes; nothing where there is none.
  std::optional<std::uint64_t> limit() const;
  /// Of the cgroup and of those below.
  std::vector<pid_t> processes() const;

 private:
  std::string directory_;
  unique_fd usage_;  ///< read again and again, in one call each
};

/// Where the state.json of a container of runc's has its memory cgroup; empty: nowhere. Pure.
std::string find_memory_cgroup(std::string_view state_json);

/// Bytes of memory that a process has resident; 0 when it has ended.
std::uint64_t resident_bytes(pid_t pid);

}  // namespace berth::guest
