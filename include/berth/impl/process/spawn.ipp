// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/process/spawn.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string_view>

// What runs in the child shares the parent's memory and thread-local storage while the parent's thread is suspended, so
// it must leave no trace in a sanitizer's books: no instrumentation, and system calls only by syscall(2), which no
// sanitizer intercepts.
#if defined(__clang__)
#if __has_attribute(disable_sanitizer_instrumentation)
#define BERTH_IN_CHILD __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define BERTH_IN_CHILD __attribute__((noinline, no_sanitize("address", "thread", "undefined", "memory")))
#endif
#else
#define BERTH_IN_CHILD \
  __attribute__((noinline, no_sanitize_address, no_sanitize_thread, no_sanitize_undefined, no_stack_protector))
#endif

#if defined(__GLIBC__)
// The same function as clone; ThreadSanitizer intercepts only the other name, and takes CLONE_VM for a fork.
extern "C" int __clone(int (*fn)(void*), void* stack, int flags, void* arg, ...) noexcept;
#endif

namespace berth {

namespace detail {

enum class spawn_stage : int { none, signals, session, parent_death, cwd, descriptors, close_others, exec };

// All that the child needs, made ready by the parent: the child allocates nothing.
struct spawn_plan {
  const char* const* programs = nullptr;  // what to try, up to a null
  char* const* argv = nullptr;
  char* const* envp = nullptr;
  const char* cwd = nullptr;
  const fd_mapping* fds = nullptr;  // sorted by target
  int* sources = nullptr;           // where each source is now
  std::size_t fd_count = 0;
  int free_from = 0;  // above every target
  bool new_session = false;
  bool new_group = false;
  int parent_death_signal = 0;
  long parent = 0;
  // Written by the child.
  spawn_stage failed_at = spawn_stage::none;
  int error = 0;
};

BERTH_IN_CHILD inline int spawn_in_child(void* argument) {
  auto& plan = *static_cast<spawn_plan*>(argument);
  plan.failed_at = spawn_stage::none;

  // Every disposition to its default, the ignored ones too (a host in Go or Python ignores SIGPIPE). A zeroed kernel
  // sigaction means SIG_DFL on every architecture. Only after this may the mask be emptied: a handler of the host's
  // must never run here, on memory that is shared with it.
  unsigned long kernel_default[8] = {};
  for (int signo = 1; signo <= 64; ++signo) {
    if (signo != SIGKILL && signo != SIGSTOP) ::syscall(SYS_rt_sigaction, signo, kernel_default, nullptr, 8);
  }

  plan.failed_at = spawn_stage::session;
  if (plan.new_session) {
    if (::syscall(SYS_setsid) < 0) goto failed;
  } else if (plan.new_group) {
    if (::syscall(SYS_setpgid, 0, 0) != 0) goto failed;
  }

  if (plan.parent_death_signal != 0) {
    plan.failed_at = spawn_stage::parent_death;
    if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, plan.parent_death_signal, 0, 0, 0) != 0) goto failed;
    // It may have died before the request; then nobody is left to be told. 0: it is in another pid namespace.
    const long parent = ::syscall(SYS_getppid);
    if (parent != plan.parent && parent != 0) return 127;
  }

  if (plan.cwd != nullptr) {
    plan.failed_at = spawn_stage::cwd;
    if (::syscall(SYS_chdir, plan.cwd) != 0) goto failed;
  }

  // Sources that lie where a target will be are moved out of the way first, so that any permutation works.
  plan.failed_at = spawn_stage::descriptors;
  for (std::size_t i = 0; i < plan.fd_count; ++i) {
    for (std::size_t k = 0; k < plan.fd_count; ++k) {
      if (k == i || plan.fds[k].target != plan.fds[i].source) continue;
      const long moved = ::syscall(SYS_fcntl, plan.fds[i].source, F_DUPFD_CLOEXEC, plan.free_from);
      if (moved < 0) goto failed;
      plan.sources[i] = static_cast<int>(moved);
      break;
    }
  }
  for (std::size_t i = 0; i < plan.fd_count; ++i) {
    if (plan.sources[i] == plan.fds[i].target) {
      if (::syscall(SYS_fcntl, plan.sources[i], F_SETFD, 0) != 0) goto failed;
    } else if (::syscall(SYS_dup3, plan.sources[i], plan.fds[i].target, 0) < 0) {
      goto failed;
    }
  }

  plan.failed_at = spawn_stage::close_others;
  {
    unsigned next = 0;
    for (std::size_t i = 0; i < plan.fd_count; ++i) {
      const auto target = static_cast<unsigned>(plan.fds[i].target);
      if (target > next && ::syscall(SYS_close_range, next, target - 1, 0) != 0) goto failed;
      next = target + 1;
    }
    if (::syscall(SYS_close_range, next, ~0U, 0) != 0) goto failed;
  }

  {
    plan.failed_at = spawn_stage::signals;
    std::uint64_t none = 0;
    if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8) != 0) goto failed;

    plan.failed_at = spawn_stage::exec;
    bool denied = false;
    for (const char* const* program = plan.programs; *program != nullptr; ++program) {
      ::syscall(SYS_execve, *program, plan.argv, plan.envp);
      if (errno == EACCES) denied = true;
      if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) goto failed;
    }
    if (denied) errno = EACCES;
  }

failed:
  plan.error = errno;
  return 127;
}

inline bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

inline result<void> check_spawn_options(const spawn_options& o) {
  const auto invalid = [](std::string message, std::string path = {}) {
    return make_error(errc::invalid, "process", std::move(message), std::move(path));
  };
  if (o.argv.empty() || o.argv[0].empty()) return invalid("no program to start: argv is empty");
  for (const auto& a : o.argv) {
    if (has_nul(a)) return invalid("a NUL byte in an argument", o.argv[0].c_str());
  }
  for (const auto& e : o.env) {
    if (has_nul(e)) return invalid("a NUL byte in the environment", o.argv[0]);
    if (e.find('=') == std::string::npos || e[0] == '=') return invalid("an environment entry that is not K=V", e);
  }
  if (has_nul(o.cwd)) return invalid("a NUL byte in the working directory", o.cwd.c_str());
  for (std::size_t i = 0; i < o.fds.size(); ++i) {
    if (o.fds[i].source < 0 || o.fds[i].target < 0) return invalid("a negative descriptor for the child", o.argv[0]);
    for (std::size_t k = 0; k < i; ++k) {
      if (o.fds[k].target == o.fds[i].target) {
        return invalid("descriptor " + std::to_string(o.fds[i].target) + " of the child is named twice", o.argv[0]);
      }
    }
  }
  if (o.parent_death_signal < 0 || o.parent_death_signal > 64) return invalid("no such parent-death signal");
  return {};
}

// The paths to try for argv[0], as execvp(3) would.
inline result<std::vector<std::string>> program_candidates(const spawn_options& o) {
  const std::string& name = o.argv[0];
  if (name.find('/') != std::string::npos) return std::vector<std::string>{name};
  std::string_view path;
  bool has_path = false;
  for (const auto& e : o.env) {
    if (e.compare(0, 5, "PATH=") == 0) {
      path = std::string_view(e).substr(5);
      has_path = true;
      break;
    }
  }
  if (!has_path) {
    return make_error(errc::not_found, "process", "cannot look up the program: the environment has no PATH", name,
                      "give an absolute path, or a PATH");
  }
  std::vector<std::string> found;
  while (true) {
    const auto colon = path.find(':');
    const auto dir = path.substr(0, colon);
    found.push_back((dir.empty() ? std::string(".") : std::string(dir)) + "/" + name);
    if (colon == std::string_view::npos) return found;
    path.remove_prefix(colon + 1);
  }
}

inline error spawn_error(const spawn_plan& plan, const spawn_options& o, const std::vector<std::string>& programs) {
  error e = errno_error(plan.error, "process", "cannot start the program", o.argv[0]);
  const errc by_errno = e.code;
  const bool about_a_path = by_errno == errc::not_found || by_errno == errc::permission;
  e.code = errc::spawn_failed;
  switch (plan.failed_at) {
    case spawn_stage::cwd:
      e.message = "cannot enter the working directory";
      e.path = o.cwd;
      e.code = plan.error == ENOTDIR ? errc::not_found : about_a_path ? by_errno : errc::spawn_failed;
      break;
    case spawn_stage::exec:
      if (plan.error == ENOENT || plan.error == ENOTDIR) {
        e.code = errc::not_found;
        // With the file there, it is what the kernel needs to run it that is missing.
        const std::string& first = programs.front();
        const std::string seen = first[0] == '/' || o.cwd.empty() ? first : o.cwd + "/" + first;
        if (programs.size() > 1) e.hint = "it is in no directory of the PATH given to it";
        else if (::access(seen.c_str(), F_OK) == 0) e.hint = "the file is there, its interpreter is not";
      } else if (about_a_path) {
        e.code = errc::permission;
      } else if (plan.error == E2BIG) {
        e.code = errc::too_big;
        e.message = "the program's arguments and environment are too long";
        e.hint =
            "Linux takes 128 KiB for one and a quarter of the stack's limit (ulimit -s) for all: hand data over by standard input or in a file";
      } else if (plan.error == ENOEXEC) {
        e.hint = "not a program of this machine's kind, or a script without its #! line";
      }
      break;
    case spawn_stage::descriptors: e.message = "cannot hand the descriptors to the program"; break;
    case spawn_stage::close_others:
      e.message = "cannot close the other descriptors";
      if (plan.error == ENOSYS) e.hint = "close_range needs Linux 5.9";
      break;
    case spawn_stage::session: e.message = "cannot give the program a process group of its own"; break;
    default: break;
  }
  return e;
}

inline std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings) out.push_back(const_cast<char*>(s.c_str()));  // exec's signature; never written
  out.push_back(nullptr);
  return out;
}

}  // namespace detail

BERTH_DECL result<child> spawn(const spawn_options& options) {
  BERTH_TRY(detail::check_spawn_options(options));
  auto programs = detail::program_candidates(options);
  if (!programs) return programs.error();

  std::vector<fd_mapping> fds = options.fds;
  unique_fd null_device;
  for (int standard = 0; standard <= 2; ++standard) {
    if (std::any_of(fds.begin(), fds.end(), [&](const fd_mapping& m) { return m.target == standard; })) continue;
    if (!null_device) null_device.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_device) {
      error e = errno_error(errno, "process", "cannot open the null device", "/dev/null");
      e.code = errc::spawn_failed;
      return e;
    }
    fds.push_back({null_device.get(), standard});
  }
  std::sort(fds.begin(), fds.end(), [](const fd_mapping& a, const fd_mapping& b) { return a.target < b.target; });
  std::vector<int> sources(fds.size());
  std::transform(fds.begin(), fds.end(), sources.begin(), [](const fd_mapping& m) { return m.source; });
  const auto program_list = detail::pointers_to(*programs);
  const auto argv = detail::pointers_to(options.argv);
  const auto envp = detail::pointers_to(options.env);

  detail::spawn_plan plan;
  plan.programs = program_list.data();
  plan.argv = argv.data();
  plan.envp = envp.data();
  plan.cwd = options.cwd.empty() ? nullptr : options.cwd.c_str();
  plan.fds = fds.data();
  plan.sources = sources.data();
  plan.fd_count = fds.size();
  plan.free_from = fds.back().target == INT_MAX ? INT_MAX : fds.back().target + 1;
  plan.new_session = options.new_session;
  plan.new_group = options.new_group;
  plan.parent_death_signal = options.parent_death_signal;
  plan.parent = ::getpid();

  // The child's stack lies in this frame: this thread is suspended until the child has left it. It needs little, since
  // it only makes system calls.
  alignas(16) char stack[16 * 1024];
  int pidfd = -1;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;

  // All signals blocked, libc's internal ones too (hence no pthread_sigmask): none may be handled in the child.
  std::uint64_t all = ~std::uint64_t{0};
  std::uint64_t before = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
#if defined(__GLIBC__)
  const int pid = ::__clone(&detail::spawn_in_child, stack + sizeof stack, flags, &plan, &pidfd);
#else
  const int pid = ::clone(&detail::spawn_in_child, stack + sizeof stack, flags, &plan, &pidfd);
#endif
  const int clone_error = errno;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, sizeof before);

  if (pid < 0) {
    error e = errno_error(clone_error, "process", "cannot make a process", options.argv[0]);
    e.code = errc::spawn_failed;
    if (clone_error == EMFILE || clone_error == ENFILE) e.hint = "out of descriptors: raise the limit (ulimit -n)";
    if (clone_error == EAGAIN) e.hint = "the limit of processes is reached (ulimit -u, or the cgroup's pids.max)";
    return e;
  }
  child started{pid, unique_fd(pidfd)};
  if (plan.error != 0) {
    detail::reap_ending_child(started.pidfd.get());
    return detail::spawn_error(plan, options, *programs);
  }
  return started;
}

BERTH_DECL std::vector<std::string> minimal_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C.UTF-8"};
}

}  // namespace berth
