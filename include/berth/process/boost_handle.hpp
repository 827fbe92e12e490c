// SPDX-License-Identifier: Apache-2.0
// Processes between berth and Boost.Process.
//
// A handle of Boost.Process (of 1.81 as of later releases) keeps a pidfd to wait on, and then reaps, and signals, by the
// number of the process. That number may be a stranger's once somebody else has reaped the child: a program that ignores
// SIGCHLD or waits for any child. berth::process does all of it by pidfd. So a process goes to Boost.Process only when the
// caller gives it, and one that came from there is berth's like its own.
#pragma once

#include <berth/process/launcher.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>

#include <boost/process/v2/process.hpp>

#include <sys/types.h>

#include <utility>

namespace berth {

/// Gives a process to Boost.Process; `from` is empty then. The handle does not kill it, and reaps it, by its number, when it is
/// waited for. errc::state when there is none, or berth has reaped it. One that the loop cannot watch is killed.
template <class Executor>
result<boost::process::v2::basic_process_handle<Executor>> give_handle(Executor executor, process& from) {
  auto given = from.release();
  if (!given) return std::move(given).error();
  boost::system::error_code failed;
  auto handle = detail::boost_owner<boost::process::v2::basic_process_handle<Executor>>(std::move(executor),
                                                                                        std::move(*given), failed);
  if (failed) return errno_error(failed.value(), "process", "cannot watch a descriptor on the loop");
  return handle;
}

/// Takes a child that Boost.Process started, whatever its launcher, on the loop that it was on; `from` is empty then. See
/// process::adopt. errc::state, and nothing is taken, when it is not a child of this program that nobody has waited for.
template <class Executor>
result<process> take_handle(boost::process::v2::basic_process_handle<Executor>&& from) {
  const pid_t pid = from.id();
  const auto gone = [] {
    return make_error(errc::state, "process", "the handle holds no child that can be waited for");
  };
  if (pid <= 0) return gone();
  auto pidfd = open_pidfd(pid);  // that of the handle is not shown
  if (!pidfd && pidfd.error().code == errc::not_found) return gone();
  if (!pidfd) return std::move(pidfd).error();
  if (!child_status(pidfd->get(), reap_mode::look)) return gone();
  auto taken = process::adopt(from.get_executor(), child{pid, std::move(*pidfd)});
  if (taken) const auto emptied = std::move(from);
  return taken;
}

/// The same of a process, which is not killed then.
template <class Executor>
result<process> take_handle(boost::process::v2::basic_process<Executor>&& from) {
  return take_handle(std::move(from.handle()));
}

}  // namespace berth
