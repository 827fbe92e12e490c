// SPDX-License-Identifier: Apache-2.0
// Signalling and reaping by pidfd: never by a number that may have come to mean a stranger.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/exit_status.hpp>

#include <sys/types.h>

#include <optional>

namespace berth {

/// A pidfd of a process that need not be a child of ours. not_found when there is none. The caller must make sure that
/// the number still means the process it thinks of (for instance by comparing its start time before and after).
BERTH_DECL result<unique_fd> open_pidfd(pid_t pid);

/// errc::state when the process has ended.
BERTH_DECL result<void> signal_pidfd(int pidfd, int signo);

/// To the process group that the process leads, or led: the kernel object is addressed, not the number, so this is safe
/// after the leader was reaped. errc::state when the group is empty, unsupported before Linux 6.9.
BERTH_DECL result<void> signal_pidfd_group(int pidfd, int signo);

enum class reap_mode {
  take,  ///< reaps the child when it has ended: the pid is free afterwards
  look,  ///< leaves it a zombie, so that its pid, and the id of a group that it leads, stay taken
};

/// How a child ended, or nothing while it runs. Never blocks. When the host ignores SIGCHLD or has reaped the child
/// itself, the status comes from the pidfd (Linux 6.15 and later); before that the error is errc::state.
BERTH_DECL result<std::optional<exit_status>> child_status(int pidfd, reap_mode mode);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/pidfd.ipp>
#endif
