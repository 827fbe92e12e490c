// SPDX-License-Identifier: Apache-2.0
// A container's memory cgroup (v1), as gVisor shows it inside a sandbox.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::guest {

class memory_cgroup {
 public:
  explicit memory_cgroup(std::string directory);

  /// Opens its files anew: those of a cgroup that was removed go on to be read, as nothing, also where there is another of
  /// its name by now. False: there is none.
  bool reopen();
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

/// Bytes of memory that a process has resident; 0 when it has ended.
std::uint64_t resident_bytes(pid_t pid);

}  // namespace berth::guest
