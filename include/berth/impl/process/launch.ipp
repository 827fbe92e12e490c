// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/process/pidfd.ipp>
#include <berth/process/detail/launch.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#if defined(__GLIBC__)
// The same function as clone; ThreadSanitizer intercepts only the other name, and takes CLONE_VM for a fork.
extern "C" int __clone(int (*fn)(void*), void* stack, int flags, void* arg, ...) noexcept;
#endif

namespace berth {

namespace detail {

BERTH_IN_CHILD inline int run_in_child(void* argument) {
  auto& plan = *static_cast<launch_plan*>(argument);
  plan.failed_at = launch_stage::process;
  plan.failed = false;

  // Every disposition to its default, the ignored ones too (a host in Go or Python ignores SIGPIPE). A zeroed kernel
  // sigaction means SIG_DFL on every architecture. Only after this may the mask be emptied: a handler of the host's
  // must never run here, on memory that is shared with it.
  unsigned long kernel_default[8] = {};
  for (int signo = 1; signo <= 64; ++signo) {
    if (signo != SIGKILL && signo != SIGSTOP) ::syscall(SYS_rt_sigaction, signo, kernel_default, nullptr, 8);
  }

  plan.failed_at = launch_stage::initializer;
  if (plan.prepare != nullptr && !plan.prepare(plan.prepare_argument)) goto failed;

  plan.failed_at = launch_stage::descriptors;
  {
    unsigned next = 0;
    for (std::size_t i = 0; i < plan.kept_count; ++i) {
      const auto fd = static_cast<unsigned>(plan.kept[i]);
      // dup2(2) of a descriptor to its own number leaves it close-on-exec. One that is not open here is nobody's loss.
      ::syscall(SYS_fcntl, fd, F_SETFD, 0);
      if (fd > next && ::syscall(SYS_close_range, next, fd - 1, 0) != 0) goto failed;
      next = fd + 1;
    }
    if (::syscall(SYS_close_range, next, ~0U, 0) != 0) goto failed;
  }

  {
    plan.failed_at = launch_stage::process;
    std::uint64_t none = 0;
    if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8) != 0) goto failed;

    plan.failed_at = launch_stage::exec;
    bool denied = false;
    for (const char* const* program = plan.programs; *program != nullptr; ++program) {
      ::syscall(SYS_execve, *program, plan.argv, plan.envp);
      if (errno == EACCES) denied = true;
      if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) goto failed;
    }
    if (denied) errno = EACCES;
  }

failed:
  plan.failed = true;
  plan.error = errno;
  return 127;
}

BERTH_DECL child launch(launch_plan& plan) {
  // The child's stack lies in this frame: this thread is suspended until the child has left it. berth's own steps only
  // make system calls; the rest is for the initializers of others.
  alignas(16) char stack[32 * 1024];
  int pidfd = -1;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;

  // All signals blocked, libc's internal ones too (hence no pthread_sigmask): none may be handled in the child.
  std::uint64_t all = ~std::uint64_t{0};
  std::uint64_t before = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
#if defined(__GLIBC__)
  const int pid = ::__clone(&run_in_child, stack + sizeof stack, flags, &plan, &pidfd);
#else
  const int pid = ::clone(&run_in_child, stack + sizeof stack, flags, &plan, &pidfd);
#endif
  const int clone_error = errno;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof before);

  if (pid < 0) {
    plan.failed_at = launch_stage::process;
    plan.error = clone_error;
    return {};
  }
  child started{pid, unique_fd(pidfd)};
  if (plan.failed) {
    reap_ending_child(started.pidfd.get());
    return {};
  }
  plan.failed_at = launch_stage::none;  // killed on its way: it has started, and how it ended is its status
  return started;
}

BERTH_DECL void end_child(const child& c) {
  (void)signal_pidfd(c.pidfd.get(), SIGKILL);
  reap_ending_child(c.pidfd.get());
}

}  // namespace detail

}  // namespace berth
