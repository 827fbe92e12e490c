// SPDX-License-Identifier: Apache-2.0
// A process of this host that can be told from a later one with the same number.
#pragma once

#include <berth/base/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace berth {

/// pid 0 means none. Two processes never share number and start time within one boot.
struct process_identity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks after boot (proc(5), stat field 22)

  /// The process that has the number now, or none.
  BERTH_DECL static process_identity of(pid_t pid);
  /// The same; an error where that cannot be seen (no descriptor is left, for one).
  BERTH_DECL static result<process_identity> look(pid_t pid);
  /// Whether it is there and has not exited: a zombie counts as gone, since its parent may never reap it. One that cannot
  /// be looked at, but is there by its number, counts as alive.
  BERTH_DECL bool alive() const;

  explicit operator bool() const noexcept { return pid > 0; }
  friend bool operator==(const process_identity&, const process_identity&) = default;
};

/// Whether it is stopped (SIGSTOP, a debugger): alive, and answering nobody. Not of one that cannot be looked at.
BERTH_DECL bool is_stopped(const process_identity& process);

/// This boot's id (/proc/sys/kernel/random/boot_id), read once; empty when it cannot be read.
BERTH_DECL std::string read_boot_id();

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/process_identity.ipp>
#endif
