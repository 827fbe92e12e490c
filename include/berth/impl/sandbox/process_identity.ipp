// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/sandbox/process_identity.hpp>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <mutex>
#include <string_view>

namespace berth {

namespace detail {

struct proc_stat {
  char state = 0;  // 0: no such process, or none that can be looked at
  int failed = 0;  // errno, where it cannot be looked at
  std::uint64_t start_time = 0;
};

inline proc_stat read_proc_stat(pid_t pid) {
  proc_stat stat;
  std::string text;
  const int failed = try_read_system_file("/proc/" + std::to_string(pid) + "/stat", text);
  if (failed != 0 && failed != ENOENT && failed != ESRCH) stat.failed = failed;
  // The name, in parentheses, may hold anything: what follows the last one is fixed.
  const std::size_t close = text.rfind(") ");
  if (close == std::string::npos) return stat;
  std::string_view rest = std::string_view(text).substr(close + 2);
  if (rest.empty()) return stat;
  const char state = rest.front();
  for (int field = 3; field < 22; ++field) {
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return stat;
    rest.remove_prefix(blank + 1);
  }
  std::from_chars(rest.data(), rest.data() + rest.size(), stat.start_time);
  stat.state = state;
  return stat;
}

}  // namespace detail

BERTH_DECL process_identity process_identity::of(pid_t pid) {
  auto there = look(pid);
  return there ? *there : process_identity();
}

BERTH_DECL result<process_identity> process_identity::look(pid_t pid) {
  if (pid <= 0) return process_identity();
  const detail::proc_stat stat = detail::read_proc_stat(pid);
  if (stat.failed != 0) return errno_error(stat.failed, "sandbox", "cannot look at the process " + std::to_string(pid));
  if (stat.state == 0) return process_identity();
  return process_identity{pid, stat.start_time};
}

BERTH_DECL bool process_identity::alive() const {
  if (pid <= 0) return false;
  const detail::proc_stat stat = detail::read_proc_stat(pid);
  if (stat.failed != 0) return ::kill(pid, 0) == 0 || errno != ESRCH;
  return stat.state != 0 && stat.state != 'Z' && stat.state != 'X' && stat.start_time == start_time;
}

BERTH_DECL bool is_stopped(const process_identity& process) {
  if (process.pid <= 0) return false;
  const detail::proc_stat stat = detail::read_proc_stat(process.pid);
  return (stat.state == 'T' || stat.state == 't') && stat.start_time == process.start_time;
}

BERTH_DECL std::string read_boot_id() {
  static std::mutex mutex;
  static std::string id;
  const std::lock_guard<std::mutex> lock(mutex);
  if (id.empty()) {
    id = read_system_file("/proc/sys/kernel/random/boot_id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
  }
  return id;
}

}  // namespace berth
