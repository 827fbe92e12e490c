// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>
#include <berth/base/token.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/sandbox/detail/runsc_processes.hpp>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>

namespace berth::detail {

BERTH_DECL runsc_arguments parse_runsc_arguments(std::string_view cmdline) {
  runsc_arguments out;
  std::size_t index = 0;
  while (!cmdline.empty()) {
    const std::string_view argument = cmdline.substr(0, cmdline.find('\0'));
    cmdline.remove_prefix(std::min(cmdline.size(), argument.size() + 1));
    if (argument.starts_with("--root=") && out.root.empty()) out.root = argument.substr(7);
    if (index == 0) out.program = argument;
    // The sandbox and gofer processes name themselves; `run`, `create` and `restore` go on to start such ones.
    if (index == 0 && (argument.ends_with("runsc-sandbox") || argument.ends_with("runsc-gofer"))) out.client = false;
    if (argument == "boot" || argument == "gofer" || argument == "run" || argument == "create" ||
        argument == "restore") {
      out.client = false;
    }
    if (argument == "exec") break;  // what follows is the command's own
    ++index;
  }
  return out;
}

BERTH_DECL std::string_view find_token_argument(std::string_view cmdline, std::string_view prefix) {
  while (!cmdline.empty()) {
    const std::string_view argument = cmdline.substr(0, cmdline.find('\0'));
    cmdline.remove_prefix(std::min(cmdline.size(), argument.size() + 1));
    if (argument.size() == sandbox_record::token_size && argument.starts_with(prefix) &&
        argument.find_first_not_of(token_letters) == std::string_view::npos) {
      return argument;
    }
  }
  return {};
}

BERTH_DECL runsc_owner runsc_owner::of(const sandbox_record& record, std::string prefix) {
  runsc_owner owner;
  owner.directory = record.directory;
  owner.prefix = std::move(prefix);
  owner.runsc = record.runsc;
  owner.sandbox_process = record.sandbox_process;
  return owner;
}

/// A process that has ended meanwhile is none; any other reason for not seeing it is an error.
inline bool has_ended(int failed) { return failed == ENOENT || failed == ESRCH; }

inline error cannot_look_at_process(int failed, const std::string& path) {
  return errno_error(failed, "sandbox", "cannot look for the sandbox's processes", path,
                     failed == EMFILE || failed == ENFILE ? "raise the limit of open files (ulimit -n)" : "");
}

inline std::string link_text(const std::string& path) {
  std::string text(4096, '\0');
  const ssize_t n = ::readlink(path.c_str(), text.data(), text.size());
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

inline bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether the process's program is a runsc: the sandbox's own binary, the one that its sandbox process runs (after an
/// upgrade the file has another inode), a file of that name, or an interpreter of the script that stands for the binary.
inline bool is_runsc_program(const std::string& process, std::string_view cmdline, const runsc_owner& owner) {
  struct stat program {
  }, other{};
  if (::stat((process + "/exe").c_str(), &program) == 0) {
    if (!owner.runsc.empty() && ::stat(owner.runsc.c_str(), &other) == 0 && same_file(program, other)) return true;
    const std::string known = "/proc/" + std::to_string(owner.sandbox_process.pid) + "/exe";
    if (owner.sandbox_process.alive() && ::stat(known.c_str(), &other) == 0 && same_file(program, other)) return true;
  }
  const std::string path = link_text(process + "/exe");
  if (std::string_view(path).substr(path.rfind('/') + 1).starts_with("runsc")) return true;
  const std::string_view first = cmdline.substr(0, cmdline.find('\0'));
  cmdline.remove_prefix(std::min(cmdline.size(), first.size() + 1));
  return !owner.runsc.empty() && cmdline.substr(0, cmdline.find('\0')) == owner.runsc;  // #!/bin/sh
}

inline result<state_view> view_of_state(const std::string& process, const std::string& directory) {
  const std::string fds = process + "/fd", logs = directory + "/logs/";
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(fds.c_str()), &::closedir);
  if (!dir) {
    if (has_ended(errno)) return state_view::unknown;
    return cannot_look_at_process(errno, fds);
  }
  state_view seen = state_view::unknown;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string fd = fds + "/" + entry->d_name;
    std::string path = link_text(fd);
    if (!path.starts_with(logs)) continue;
    struct stat held {
    }, there{};
    if (::stat(fd.c_str(), &held) != 0) continue;
    if (held.st_nlink == 0) {
      if (seen == state_view::unknown) seen = state_view::removed;
      continue;
    }
    if (::lstat(path.c_str(), &there) != 0 || !same_file(held, there)) return state_view::hidden;
    seen = state_view::same;
  }
  return seen;
}

/// Reads a process's command line. execve(2) names the new program in /proc/PID/exe before it lays out the new arguments,
/// and /proc/PID/cmdline is empty in between: `patience` is how many milliseconds may still be waited for such ones.
inline int read_command_line(const std::string& process, std::string& cmdline, int& patience) {
  for (;;) {
    const int failed = try_read_system_file(process + "/cmdline", cmdline, 64 * 1024);
    if (failed != 0 || !cmdline.empty() || patience <= 0) return failed;
    char program;
    if (::readlink((process + "/exe").c_str(), &program, 1) < 0) return 0;  // a kernel thread, or a zombie
    --patience;
    ::usleep(1000);
  }
}

/// Calls `f(process, cmdline)` for every process that has a command line (kernel threads and zombies have none).
template <class F>
result<void> for_each_process(F&& f) {
  int patience = 20;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc"), &::closedir);
  if (!dir) return cannot_look_at_process(errno, "/proc");
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return cannot_look_at_process(errno, "/proc");
      return {};
    }
    const auto pid = parse_number<pid_t>(entry->d_name);
    if (!pid) continue;
    std::string cmdline;
    const std::string process = std::string("/proc/") + entry->d_name;
    const int failed = read_command_line(process, cmdline, patience);
    if (failed != 0 && failed != EFBIG && !has_ended(failed))
      return cannot_look_at_process(failed, process + "/cmdline");
    if (!cmdline.empty()) BERTH_TRY(f(*pid, cmdline));
  }
}

/// The process by every proof but where its directory is, which the caller knows to be meant; nothing when it is none, or
/// has ended.
inline result<std::optional<runsc_host_process>> prove_process(pid_t pid, const runsc_owner& owner) {
  const std::string process = "/proc/" + std::to_string(pid);
  // The start time before the command line is read again: if both fit, the number was not reused in between.
  auto identity = process_identity::look(pid);
  if (!identity) return std::move(identity).error();
  if (!*identity) return std::optional<runsc_host_process>();
  std::string cmdline;
  const int failed = try_read_system_file(process + "/cmdline", cmdline, 64 * 1024);
  if (failed != 0 && failed != EFBIG && !has_ended(failed)) return cannot_look_at_process(failed, process + "/cmdline");
  const runsc_arguments arguments = parse_runsc_arguments(cmdline);
  if (arguments.root != owner.directory + "/run" || !is_runsc_program(process, cmdline, owner)) {
    return std::optional<runsc_host_process>();
  }
  runsc_host_process found;
  found.identity = *identity;
  found.client = arguments.client;
  found.directory = owner.directory;
  found.program = arguments.program;
  if (!owner.prefix.empty()) {
    found.token = find_token_argument(cmdline, owner.prefix);
    if (found.token.empty()) return std::optional<runsc_host_process>();
  }
  auto state = view_of_state(process, owner.directory);
  if (!state) return std::move(state).error();
  found.state = *state;
  return std::optional(std::move(found));
}

BERTH_DECL result<std::vector<runsc_host_process>> find_runsc_processes(const runsc_owner& owner) {
  std::vector<runsc_host_process> found;
  BERTH_TRY(for_each_process([&](pid_t pid, const std::string& cmdline) -> result<void> {
    if (parse_runsc_arguments(cmdline).root != owner.directory + "/run") return {};
    auto process = prove_process(pid, owner);
    if (!process) return std::move(process).error();
    if (!*process || (*process)->state == state_view::hidden) return {};
    if (owner.prefix.empty() && (*process)->state == state_view::unknown) return {};
    found.push_back(std::move(**process));
    return {};
  }));
  return found;
}

BERTH_DECL result<std::vector<runsc_host_process>> find_root_processes(const std::string& root,
                                                                       const std::string& prefix) {
  std::vector<runsc_host_process> found;
  BERTH_TRY(for_each_process([&](pid_t pid, const std::string& cmdline) -> result<void> {
    const std::string_view there = parse_runsc_arguments(cmdline).root;
    if (!there.starts_with(root + "/") || !there.ends_with("/run")) return {};
    // ROOT/ID/run and no deeper: another root may lie below this one.
    if (there.find('/', root.size() + 1) != there.size() - 4) return {};
    runsc_owner owner;
    owner.directory = there.substr(0, there.size() - 4);
    owner.prefix = prefix;
    auto process = prove_process(pid, owner);
    if (!process) return std::move(process).error();
    if (*process) found.push_back(std::move(**process));
    return {};
  }));
  return found;
}

inline result<void> kill_process(const process_identity& identity) {
  auto pidfd = open_pidfd(identity.pid);
  if (!pidfd) {
    if (pidfd.error().code == errc::not_found) return {};
    return std::move(pidfd).error();
  }
  if (!identity.alive()) return {};  // asked after opening: the descriptor is of this very process
  (void)signal_pidfd(pidfd->get(), SIGKILL);
  return {};
}

BERTH_DECL boost::asio::awaitable<result<void>> kill_runsc_processes(runsc_owner owner, time_point deadline) {
  // Clients end when their sandbox has; what they print then is better than a SIGKILL.
  const time_point patience = std::min(deadline, clock::now() + seconds(1));
  milliseconds wait(1);
  for (;;) {
    const auto found = find_runsc_processes(owner);
    if (!found) co_return found.error();
    if (found->empty()) co_return result<void>();
    const time_point now = clock::now();
    for (const runsc_host_process& process : *found) {
      if (!process.client || now >= patience) BERTH_CO_TRY(kill_process(process.identity));
    }
    if (now >= deadline) {
      co_return make_error(errc::timeout, "sandbox", "runsc processes did not end after SIGKILL",
                           "pid " + std::to_string(found->front().identity.pid));
    }
    if (!co_await pause_for(wait)) {
      co_return make_error(errc::cancelled, "sandbox", "cancelled while runsc processes were ending");
    }
    wait = std::min(wait * 2, milliseconds(20));
  }
}

}  // namespace berth::detail
