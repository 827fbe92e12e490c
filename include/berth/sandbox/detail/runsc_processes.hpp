// SPDX-License-Identifier: Apache-2.0
// runsc's processes on this host: found, proved to be a sandbox's own, and killed.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth::detail {

/// What a command line of runsc's says. Views into the text.
struct runsc_arguments {
  std::string_view root;     ///< --root, or empty: no runsc of berth's
  std::string_view program;  ///< its own name: "runsc-sandbox", "runsc-gofer", the binary's path
  bool client = true;        ///< runsc exec and the like, which end by themselves when the sandbox has ended
};
/// Pure: of a /proc cmdline text (arguments separated by NUL).
BERTH_DECL runsc_arguments parse_runsc_arguments(std::string_view cmdline);
/// Pure: the first argument that can be a token beginning with `prefix`, or empty. What follows the token in `runsc exec`
/// is the command's own.
BERTH_DECL std::string_view find_token_argument(std::string_view cmdline, std::string_view prefix);

/// Whose processes are meant.
struct runsc_owner {
  std::string directory;             ///< the sandbox's state directory
  std::string prefix;                ///< what tokens of its root begin with; empty: not known
  std::string runsc;                 ///< the binary that runs it; empty: not known
  process_identity sandbox_process;  ///< where it is known

  BERTH_DECL static runsc_owner of(const sandbox_record& record, std::string prefix);
};

/// How a process's own look at the state directory (by the logs that it holds open) compares with ours.
enum class state_view {
  unknown,  ///< it holds nothing of it
  same,     ///< it holds what we see there
  removed,  ///< it holds what was deleted
  hidden,  ///< it holds what is there, but not to us: something is mounted over it, or it lives in another mount namespace
};

struct runsc_host_process {
  process_identity identity;
  bool client = false;
  std::string directory;  ///< of its sandbox, as its --root says
  std::string program;
  std::string token;  ///< its container id, where the prefix is known
  state_view state = state_view::unknown;
};

/// The processes that are the sandbox's own by every proof there is: --root is its directory's, the program is a runsc, the
/// container id is of this root (or, where the root has no mark, it holds files of this very directory), and none holds a
/// state directory of that name that is not the one seen here. Errors: as reading /proc; never fewer than there are because
/// it could not be read.
BERTH_DECL result<std::vector<runsc_host_process>> find_runsc_processes(const runsc_owner& owner);

/// Those of all sandboxes of a root that has this prefix: --root is one directory below it, and so on as above, hidden ones
/// included. `runsc` is the binary that the root's sandboxes have, where it is known.
BERTH_DECL result<std::vector<runsc_host_process>> find_root_processes(const std::string& root,
                                                                       const std::string& prefix);

/// Kills all processes of the sandbox with SIGKILL and returns when they are gone. Errors: timeout, cancelled; as
/// find_runsc_processes.
BERTH_DECL boost::asio::awaitable<result<void>> kill_runsc_processes(runsc_owner owner, time_point deadline);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/runsc_processes.ipp>
#endif
