// SPDX-License-Identifier: Apache-2.0
// Starting a program by berth's launcher (launcher.hpp), as a value says.
#pragma once

#include <berth/base/result.hpp>
#include <berth/process/child.hpp>

#include <string>
#include <vector>

namespace berth {

struct spawn_options {
  std::vector<std::string> argv;  ///< argv[0] is looked up in the PATH of `env` unless it holds a slash
  std::vector<std::string> env;   ///< the child's whole environment, "K=V"; nothing is inherited
  std::string cwd;                ///< empty: ours
  std::vector<fd_mapping> fds;    ///< all that the child gets; 0, 1 and 2 are /dev/null where not named
  bool new_session = false;       ///< setsid: the child leads a session and a group of its own
  bool new_group = true;          ///< the child leads a process group of its own, so that it can be killed whole
  int parent_death_signal = 0;    ///< sent to the child when the *thread* that spawned it ends (prctl(2)); 0: none
};

/// Starts `options.argv` by clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD): cost does not grow with the host's memory, and
/// there is no window in which the pid could be reused. The child starts with no signal blocked and all dispositions
/// default, and no descriptor but those named; umask, limits and user are the caller's. Returns once the program has
/// been loaded. PATH is split here and tried as execvp(3) does, a relative entry from `cwd`; a script needs its `#!`
/// line. Errors: not_found and permission (the program, or cwd, named in `path`), invalid (empty argv, NUL in a string,
/// a descriptor named twice), too_big (argv and env), spawn_failed (with errno). Nothing is left on failure.
/// Thread-safe. Needs Linux 5.9 (close_range).
BERTH_DECL result<child> spawn(const spawn_options& options);

/// The smallest environment that tools such as runsc, ip and nft work with: PATH, and HOME=/ LANG=C.UTF-8.
BERTH_DECL std::vector<std::string> minimal_environment();

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/spawn.ipp>
#endif
