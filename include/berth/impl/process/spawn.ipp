// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/launcher.hpp>
#include <berth/process/spawn.hpp>

#include <boost/process/v2/start_dir.hpp>

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace berth {

namespace detail {

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

// The options that the launcher's own settings do not say.
struct spawn_initializers {
  explicit spawn_initializers(const spawn_options& o) : descriptors(o.fds) {
    using initializer::process_group;
    group.which = o.new_session ? process_group::session : o.new_group ? process_group::own : process_group::callers;
    if (o.parent_death_signal != 0) parent_death.emplace(o.parent_death_signal);
    if (!o.cwd.empty()) cwd.emplace(o.cwd);
  }

  initializer::process_group group;
  std::optional<initializer::parent_death_signal> parent_death;
  std::optional<boost::process::v2::process_start_dir> cwd;
  initializer::descriptors descriptors;
};

inline void explain_exec_error(error& e, errc by_errno, const spawn_options& o,
                               const std::vector<std::string>& programs) {
  if (e.sys_errno == ENOENT || e.sys_errno == ENOTDIR) {
    e.code = errc::not_found;
    // With the file there, it is what the kernel needs to run it that is missing.
    const std::string& first = programs.front();
    const std::string seen = first[0] == '/' || o.cwd.empty() ? first : o.cwd + "/" + first;
    if (programs.size() > 1) e.hint = "it is in no directory of the PATH given to it";
    else if (::access(seen.c_str(), F_OK) == 0) e.hint = "the file is there, its interpreter is not";
  } else if (by_errno == errc::not_found || by_errno == errc::permission) {
    e.code = errc::permission;
  } else if (e.sys_errno == E2BIG) {
    e.code = errc::too_big;
    e.message = "the program's arguments and environment are too long";
    e.hint =
        "Linux takes 128 KiB for one and a quarter of the stack's limit (ulimit -s) for all: hand data over by standard input or in a file";
  } else if (e.sys_errno == ENOEXEC) {
    e.hint = "not a program of this machine's kind, or a script without its #! line";
  }
}

inline error spawn_error(const launcher& by, int number, const spawn_initializers& given, const spawn_options& o,
                         const std::vector<std::string>& programs) {
  error e = errno_error(number, "process", "cannot start the program", o.argv[0]);
  const errc by_errno = std::exchange(e.code, errc::spawn_failed);
  const void* const at = by.failed_initializer();
  if (by.failed_at() == launch_stage::exec) {
    explain_exec_error(e, by_errno, o, programs);
  } else if (by.failed_at() == launch_stage::process) {
    e.message = "cannot make a process";
    if (number == EMFILE || number == ENFILE) e.hint = "out of descriptors: raise the limit (ulimit -n)";
    if (number == EAGAIN) e.hint = "the limit of processes is reached (ulimit -u, or the cgroup's pids.max)";
  } else if (by.failed_at() == launch_stage::descriptors) {
    e.message = "cannot close the other descriptors";
    if (number == ENOSYS) e.hint = "close_range needs Linux 5.9";
  } else if (at == &given.descriptors && by.failed_at() == launch_stage::setup) {
    e.message = "cannot open the null device";
    e.path = "/dev/null";
  } else if (at == &given.descriptors) {
    e.message = "cannot hand the descriptors to the program";
  } else if (at == &given.group) {
    e.message = "cannot give the program a process group of its own";
  } else if (given.cwd && at == &*given.cwd) {
    e.message = "cannot enter the working directory";
    e.path = o.cwd;
    if (by_errno == errc::not_found || by_errno == errc::permission) e.code = by_errno;
    if (number == ENOTDIR) e.code = errc::not_found;
  }
  return e;
}

inline std::vector<const char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<const char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings) out.push_back(s.c_str());
  out.push_back(nullptr);
  return out;
}

}  // namespace detail

BERTH_DECL result<child> spawn(const spawn_options& options) {
  BERTH_TRY(detail::check_spawn_options(options));
  const auto programs = detail::program_candidates(options);
  if (!programs) return programs.error();
  const auto program_list = detail::pointers_to(*programs);
  const auto environment = detail::pointers_to(options.env);

  launcher by;
  by.programs = program_list.data();
  by.env = environment.data();
  detail::spawn_initializers with(options);
  boost::system::error_code failed;
  child started = by.start(failed, options.argv[0], std::span(options.argv).subspan(1), with.group, with.parent_death,
                           with.cwd, with.descriptors);
  if (failed) return detail::spawn_error(by, failed.value(), with, options, *programs);
  return started;
}

BERTH_DECL std::vector<std::string> minimal_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C.UTF-8"};
}

}  // namespace berth
