// SPDX-License-Identifier: Apache-2.0
// The end of a managed sandbox: what runs inside first, in order, then all of it.
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/managed/docker_sandbox.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/sandbox/process_identity.hpp>

#include <boost/asio/awaitable.hpp>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace berth {
namespace detail {

// Whether the process runs the berth command: our own program, or another one of that name.
inline bool runs_berth(pid_t pid) {
  struct stat its {};
  struct stat own {};
  const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
  if (::stat(exe.c_str(), &its) != 0) return false;
  if (::stat("/proc/self/exe", &own) == 0 && its.st_dev == own.st_dev && its.st_ino == own.st_ino) return true;
  std::error_code failed;
  const std::string name = std::filesystem::read_symlink(exe, failed).filename();
  return name == "berth" || name == "berth (deleted)";
}

// The pidfd of the `berth run` in the foreground that the sandbox is of; none where it is of none, or of this process.
inline unique_fd open_runner(const sandbox_record& record) {
  const process_identity& who = record.creator;
  if (!who || who.pid == ::getpid() || record.boot_id != read_boot_id()) return {};
  const auto purpose = read_purpose(record.directory);
  if (!purpose || purpose->detached) return {};
  auto fd = open_pidfd(who.pid);
  // Asked after opening: the descriptor is of this very process.
  if (!fd || !who.alive() || !runs_berth(who.pid)) return {};
  return std::move(*fd);
}

// It is its own to stop what it runs, and to say how that ended.
inline boost::asio::awaitable<void> end_runner(unique_fd runner, bool at_once, time_point deadline) {
  (void)signal_pidfd(runner.get(), at_once ? SIGKILL : SIGTERM);
  for (milliseconds wait(1); clock::now() < deadline; wait = std::min(wait * 2, milliseconds(20))) {
    struct pollfd ended {
      runner.get(), POLLIN, 0
    };
    if (::poll(&ended, 1, 0) > 0) co_return;
    const bool waited = co_await pause_for(wait);
    if (!waited) co_return;
  }
  // One that hangs must not hold the sandbox any longer.
  (void)signal_pidfd(runner.get(), SIGKILL);
}

inline boost::asio::awaitable<void> stop_in_order(std::shared_ptr<sandbox> box, log_sink log, time_point deadline) {
  // A paused one stops nothing in order.
  if (box->is_paused()) {
    auto resuming = box->resume(std::max<duration>(milliseconds(100), deadline - clock::now()));
    (void)co_await std::move(resuming);
  }
  const auto guest = read_guest_status(box->record());
  if (!guest) co_return;
  const bool docker = guest->docker.state == daemon_state::starting || guest->docker.state == daemon_state::ready;
  if (!docker && !(guest->command && guest->command->now == kept_command::state::running)) co_return;
  guest_daemon kept(box, std::move(log));
  auto stopping = kept.stop(deadline);
  (void)co_await std::move(stopping);  // the sandbox goes away whatever became of it
}

inline boost::asio::awaitable<result<void>> end_sandbox(std::shared_ptr<sandbox> box, log_sink log,
                                                        terminate_options how) {
  const time_point deadline = deadline_after(how.timeout);
  const auto record = read_record(box->record().directory);
  // Another sandbox may have the name by now, and keeps what it runs.
  const bool is_there = record && !record->damaged && record->token == box->record().token;
  const bool at_once = how.force || (is_there && is_stopped(record->sandbox_process));
  if (unique_fd runner = is_there ? open_runner(*record) : unique_fd()) {
    const time_point patience = at_once ? std::min(deadline, deadline_after(seconds(1))) : deadline;
    auto ending = end_runner(std::move(runner), at_once, patience);
    co_await std::move(ending);
  }
  if (is_there && !at_once) {
    auto stopping = stop_in_order(box, std::move(log), deadline);
    co_await std::move(stopping);
  }
  auto asking = was_cancelled();
  const bool given_up = co_await std::move(asking);
  if (given_up) co_return make_error(errc::cancelled, "managed", "cancelled before the sandbox was removed", box->id());
  const duration at_least = how.force ? milliseconds(1900) : milliseconds(900);
  auto removing = box->terminate(how.force ? at_least : std::max(at_least, deadline - clock::now()));
  co_return co_await std::move(removing);
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<void>> docker_sandbox::terminate(terminate_options how) {
  auto work = detail::end_sandbox(box_, where_.log, how);
  co_return co_await cancellation_as_error(std::move(work));
}

}  // namespace berth
