// SPDX-License-Identifier: Apache-2.0
#include "memory_limit.hpp"

#include "daemon_log.hpp"
#include "file_bytes.hpp"
#include "memory_cgroup.hpp"
#include "base/event_inbox.hpp"
#include "oom_event.hpp"
#include "base/pause.hpp"
#include "runc_state.hpp"
#include "runtime.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <set>
#include <string>

namespace berth::guest {
namespace {

constexpr int patience_ms = 10'000;

std::uint64_t now_us() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_nsec) / 1000;
}

/// The right to watch a container: one process has it at a time. That of a container of the same id, which was just removed, may
/// need a moment to let it go.
class watch_right {
 public:
  explicit watch_right(const std::string& id) : path_(std::string(runtime_directory) + "/memory-" + id) {
    for (int waited = 0; waited < 2500; waited += 20) {
      file_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!file_) return;
      struct stat ours {};
      struct stat there {};
      // Its last holder removes it.
      if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0 && ::fstat(file_.get(), &ours) == 0 &&
          ::stat(path_.c_str(), &there) == 0 && ours.st_ino == there.st_ino)
        return;
      file_.reset();
      pause_for(20);
    }
  }
  watch_right(const watch_right&) = delete;
  watch_right& operator=(const watch_right&) = delete;
  ~watch_right() {
    if (file_) ::unlink(path_.c_str());
  }
  explicit operator bool() const { return static_cast<bool>(file_); }

 private:
  std::string path_;
  unique_fd file_;
};

class limit_watch {
 public:
  /// `is_new`: it has written no file yet.
  limit_watch(std::string id, runc_state container, shim_arguments shim, bool is_new)
      : id_(std::move(id)),
        container_(std::move(container)),
        shim_(std::move(shim)),
        cgroup_(container_.memory_cgroup) {
    if (is_new) before_ = count_files(std::uint64_t{1} << 50);
  }

  /// Until the container is gone, or has had no limit for a while.
  void run() {
    std::optional<std::uint64_t> limit;
    for (int look = 0, without_limit = 0; without_limit < patience_ms / 100; ++look) {
      // What changes seldom is asked for seldom.
      if (!limit || look % 5 == 0) {
        if (!cgroup_.reopen()) return;
        limit = cgroup_.limit();
      }
      if (!limit) {
        ++without_limit;  // `update` may be about to set it, or has taken it away
        pause_for(100);
        continue;
      }
      without_limit = 0;
      const std::uint64_t began = now_us();
      const auto usage = cgroup_.usage();
      if (!usage) return;
      if (is_over(*usage, *limit)) {
        limit = cgroup_.limit();
        if (limit && *usage > *limit) return kill(*limit);
      }
      if (limit) pause_for(pause_before_next_look(*usage, *limit, now_us() - began));
    }
  }

 private:
  bool is_over(std::uint64_t usage, std::uint64_t limit) {
    if (usage <= limit) return false;
    std::uint64_t resident = 0;
    for (const pid_t pid : cgroup_.processes()) resident += resident_bytes(pid);
    if (resident <= limit || usage - std::min(usage, files_) <= limit) return false;
    const std::uint64_t now = count_files(usage + before_);
    files_ = now - std::min(now, before_);
    return usage - std::min(usage, files_) > limit;
  }

  /// What it finds in its volumes was written by others, and counts for them.
  std::uint64_t count_files(std::uint64_t at_most) const {
    std::uint64_t sum = 0;
    const std::string root = "/proc/" + std::to_string(container_.init) + "/root";
    for (const std::string& directory : container_.directories) sum += bytes_on_tmpfs(directory, at_most);
    for (const std::string& mount : container_.tmpfs) sum += bytes_on_tmpfs(root + mount, at_most);
    return sum;
  }

  /// Stops all of them. Those that fork make others meanwhile: who killed them would make room for more, and go on for ever.
  void freeze() {
    std::set<pid_t> stopped;
    for (int quiet = 0, look = 0; quiet < 2 && look < 1000; ++look) {
      ++quiet;
      for (const pid_t pid : cgroup_.processes()) {
        if (!stopped.insert(pid).second) continue;
        ::kill(pid, SIGSTOP);
        quiet = 0;
      }
      if (quiet != 0) pause_for(2);
    }
  }

  void kill(std::uint64_t limit) {
    freeze();
    // The others end before the first, so that who waits for one of them (docker exec) hears of its end: Docker 20.10 forgets
    // them with the container. And the first ends after containerd has been told.
    for (int waited = 0; waited < patience_ms; waited += 5) {
      bool others = false;
      for (const pid_t pid : cgroup_.processes())
        if (pid != container_.init && ::kill(pid, SIGKILL) == 0) others = true;
      if (!others) break;
      pause_for(5);
    }
    (void)publish_oom_event(shim_, id_);
    report_memory_kill(id_, limit);
    write_to_daemon_log("container " + id_ + " was over its memory limit of " + std::to_string(limit >> 20) +
                        " MiB and is killed");
    for (int waited = 0; waited < patience_ms && !cgroup_.processes().empty(); waited += 10) {
      for (const pid_t pid : cgroup_.processes()) ::kill(pid, SIGKILL);
      pause_for(10);
    }
  }

  std::string id_;
  runc_state container_;
  shim_arguments shim_;
  memory_cgroup cgroup_;
  std::uint64_t before_ = 0;  ///< bytes of files that were there before it
  std::uint64_t files_ = 0;   ///< and that it has written, when they were last counted
};

void watch(const std::string& state_file, const std::string& id, const std::string& verb, const shim_arguments& shim) {
  runc_state container;
  for (int waited = 0; waited < patience_ms; waited += 10) {
    container = read_runc_state(read_system_file(state_file));
    // Only `run` has yet to make it.
    if (!container.memory_cgroup.empty() || verb != "run") break;
    pause_for(10);
  }
  if (container.memory_cgroup.empty())
    return write_to_daemon_log("the memory limit of container " + id +
                               " is not kept: runc tells of no memory cgroup of v1");
  const watch_right right(id);
  if (right) return limit_watch(id, std::move(container), shim, verb != "update").run();
  // Of a container that is watched the limit is read anew at each look.
  if (verb != "update")
    write_to_daemon_log("the memory limit of container " + id + " is not kept: another process has its lock");
}

/// Nothing of the container's or of runc's is held by who stays.
void let_go_of_everything() {
  ::setsid();
  ::prctl(PR_SET_NAME, "berth-memory", 0, 0, 0);
  ::close_range(3, ~0U, 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  (void)!::chdir("/");
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

int pause_before_next_look(std::uint64_t usage, std::uint64_t limit, std::uint64_t look_us) {
  const std::uint64_t wanted = usage > limit / 2 ? 20 : 100;
  return static_cast<int>(std::min<std::uint64_t>(std::max(wanted, look_us * 20 / 1000), 2000));
}

void hold_to_memory_limit(const runc_arguments& arguments) {
  const std::string id(arguments.id), verb(arguments.verb);
  const std::string state_file = std::string(arguments.root) + "/" + id + "/state.json";
  if (id.find('/') != std::string::npos) return;  // runc refuses it
  const shim_arguments shim =
      read_shim_arguments(read_system_file("/proc/" + std::to_string(::getppid()) + "/cmdline", 1u << 16));
  const pid_t between = ::fork();
  if (between < 0) return;
  if (between > 0) {
    while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
    return;
  }
  // Its parent ends at once, so that nobody has a child that was not expected.
  if (::fork() == 0) {
    let_go_of_everything();
    watch(state_file, id, verb, shim);
  }
  ::_exit(0);
}

}  // namespace berth::guest
