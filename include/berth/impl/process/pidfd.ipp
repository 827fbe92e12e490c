// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/pidfd.hpp>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

namespace berth {

namespace detail {

// PIDFD_GET_INFO as of Linux 6.13; PIDFD_INFO_EXIT came with 6.15. Debian 12's headers have neither.
struct pidfd_exit_info {
  std::uint64_t mask;
  std::uint64_t cgroup_id;
  std::uint32_t ids[11];
  std::int32_t exit_code;  // as of wait(2)
};
static_assert(sizeof(pidfd_exit_info) == 64, "the first version of struct pidfd_info");

inline std::optional<exit_status> pidfd_exit_status(int pidfd) {
  constexpr std::uint64_t want_exit = 1U << 3;
  pidfd_exit_info info{};
  info.mask = want_exit;
  if (::ioctl(pidfd, _IOWR(0xFF, 11, pidfd_exit_info), &info) != 0 || (info.mask & want_exit) == 0) return std::nullopt;
  const int status = info.exit_code;
  return WIFSIGNALED(status) ? exit_status{0, WTERMSIG(status)} : exit_status{WEXITSTATUS(status), 0};
}

// PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9.
inline constexpr unsigned pidfd_signal_process_group = 1U << 2;

}  // namespace detail

BERTH_DECL result<unique_fd> open_pidfd(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd >= 0) return unique_fd(static_cast<int>(fd));
  if (errno == ESRCH) return make_error(errc::not_found, "process", "no process " + std::to_string(pid));
  return errno_error(errno, "process", "cannot open a pidfd of process " + std::to_string(pid));
}

BERTH_DECL result<void> signal_pidfd(int pidfd, int signo) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signo, nullptr, 0) == 0) return {};
  if (errno == ESRCH) return make_error(errc::state, "process", "the process has ended");
  return errno_error(errno, "process", "cannot send signal " + std::to_string(signo));
}

BERTH_DECL result<void> signal_pidfd_group(int pidfd, int signo) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signo, nullptr, detail::pidfd_signal_process_group) == 0) return {};
  if (errno == ESRCH) return make_error(errc::state, "process", "no process is left in the group");
  if (errno == EINVAL && signo >= 0 && signo <= SIGRTMAX) {
    return make_error(errc::unsupported, "process", "this kernel cannot signal a process group by pidfd", {},
                      "Linux 6.9 brought it");
  }
  return errno_error(errno, "process", "cannot send signal " + std::to_string(signo) + " to the group");
}

BERTH_DECL result<std::optional<exit_status>> child_status(int pidfd, reap_mode mode) {
  siginfo_t info{};
  const int options = WEXITED | WNOHANG | (mode == reap_mode::look ? WNOWAIT : 0);
  while (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, options) != 0) {
    if (errno == EINTR) continue;
    if (errno != ECHILD) return errno_error(errno, "process", "cannot wait for the child");
    if (auto status = detail::pidfd_exit_status(pidfd)) return status;
    return make_error(errc::state, "process", "the exit status of the child is lost", {},
                      "this program ignores SIGCHLD or waits for any child, and so takes berth's children from it");
  }
  if (info.si_pid == 0) return std::optional<exit_status>();
  if (info.si_code == CLD_EXITED) return std::optional(exit_status{info.si_status & 0xff, 0});
  return std::optional(exit_status{0, info.si_status});
}

namespace detail {

// Reaps a child that is on its way out: one that failed before exec, or was sent SIGKILL.
inline void reap_ending_child(int pidfd) {
  for (int tries = 0; tries < 5; ++tries) {
    auto ended = child_status(pidfd, reap_mode::take);
    if (!ended || *ended) return;
    pollfd p{pidfd, POLLIN, 0};
    ::poll(&p, 1, 1000);
  }
}

}  // namespace detail

}  // namespace berth
