// SPDX-License-Identifier: Apache-2.0
#include "memory_limit.hpp"

#include "daemon_log.hpp"
#include "memory_cgroup.hpp"
#include "oom_event.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>

namespace berth::guest {
namespace {

constexpr int patience_for_traces_ms = 10'000;

std::uint64_t now_us() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_nsec) / 1000;
}

void pause_for(int milliseconds) {
  timespec t{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  while (::nanosleep(&t, &t) != 0 && errno == EINTR) {
  }
}

/// One for a container, by a name that its holder's end frees: that of a container of the same id, which was just removed, may
/// need a moment for it. Nothing where another has it and goes on.
unique_fd take_name(const std::string& id) {
  unique_fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "berth-memory-" + id.substr(0, 80);
  std::memcpy(address.sun_path + 1, name.data(), name.size());  // abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  for (int waited = 0; socket && waited < 2500; waited += 20) {
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return socket;
    pause_for(20);
  }
  return {};
}

std::string wait_for_cgroup(const std::string& state_file) {
  for (int waited = 0; waited < patience_for_traces_ms; waited += 10) {
    const std::string cgroup = find_memory_cgroup(read_system_file(state_file));
    if (!cgroup.empty()) return cgroup;
    pause_for(10);
  }
  return {};
}

bool is_over(const memory_cgroup& cgroup, std::uint64_t usage, std::uint64_t limit) {
  if (usage <= limit) return false;
  std::uint64_t resident = 0;
  for (const pid_t pid : cgroup.processes()) resident += resident_bytes(pid);
  return resident > limit;
}

void signal_all(const memory_cgroup& cgroup, int signo) {
  for (const pid_t pid : cgroup.processes()) ::kill(pid, signo);
}

void kill_container(const memory_cgroup& cgroup, const std::string& id, std::uint64_t limit,
                    const shim_arguments& shim) {
  // It takes no more while containerd is told, which has to come before the container's end.
  signal_all(cgroup, SIGSTOP);
  (void)publish_oom_event(shim, id);
  write_to_daemon_log("container " + id + " was over its memory limit of " + std::to_string(limit >> 20) +
                      " MiB and is killed");
  for (int i = 0; i < 500 && !cgroup.processes().empty(); ++i) {
    signal_all(cgroup, SIGKILL);
    pause_for(10);
  }
}

void watch(const std::string& state_file, const std::string& id, const shim_arguments& shim) {
  const unique_fd name = take_name(id);
  if (!name) return;  // it is watched already, and the limit is read anew at each look
  const std::string directory = wait_for_cgroup(state_file);
  if (directory.empty()) return;
  const memory_cgroup cgroup(directory);
  std::optional<std::uint64_t> limit;
  for (int look = 0, without_limit = 0; without_limit < patience_for_traces_ms / 100; ++look) {
    // What changes seldom is asked for seldom.
    if (!limit || look % 5 == 0) {
      if (!cgroup.exists()) return;
      limit = cgroup.limit();
    }
    if (!limit) {
      ++without_limit;  // `update` may be about to set it, or has taken it away
      pause_for(100);
      continue;
    }
    without_limit = 0;
    const std::uint64_t began = now_us();
    const auto usage = cgroup.usage();
    if (!usage) return;
    if (is_over(cgroup, *usage, *limit)) {
      limit = cgroup.limit();
      if (limit && is_over(cgroup, *usage, *limit)) return kill_container(cgroup, id, *limit, shim);
      continue;
    }
    pause_for(pause_before_next_look(*usage, *limit, now_us() - began));
  }
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
  return static_cast<int>(std::min<std::uint64_t>(std::max(wanted, look_us * 20 / 1000), 1000));
}

void hold_to_memory_limit(const runc_arguments& arguments) {
  const std::string id(arguments.id);
  const std::string state_file = std::string(arguments.root) + "/" + id + "/state.json";
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
    watch(state_file, id, shim);
  }
  ::_exit(0);
}

}  // namespace berth::guest
