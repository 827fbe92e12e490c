// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/visible_text.hpp>
#include <berth/impl/sandbox/exec_by_guest.ipp>
#include <berth/impl/sandbox/pause.ipp>
#include <berth/process/cancellation.hpp>
#include <berth/runsc/diagnose.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/paused_marker.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/hibernation.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace berth {

namespace detail {

inline std::string wake_path(const sandbox_record& record) {
  return record.shared() + "/" + std::string(guest_wake_name);
}

/// The directory that a sandbox is hibernated to, empty. By who holds the lock of its own.
inline result<void> make_hibernation(const sandbox_record& record, const runsc_binary& binary) {
  const hibernation saved(record);
  BERTH_TRY(remove_tree(saved.directory()));
  for (const std::string& path : {saved.directory(), saved.image()})
    if (::mkdir(path.c_str(), 0700) != 0) return errno_error(errno, "sandbox", "cannot make the directory", path);
  struct stat info {};
  if (::lstat(saved.docker_socket().c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) BERTH_TRY(saved.set_docker());
  return saved.set_runsc(binary.version().text);
}

/// runsc tells what cannot be saved by a panic with all of its stacks (release-20260905.0): those are for the log.
inline error without_stacks(error e, const sandbox_record& record) {
  const std::string_view reason = before_go_stacks(e.detail);
  if (reason.size() == e.detail.size()) return e;
  const std::string file = record.logs() + "/checkpoint.log";
  const auto kept = replace_file(file, e.detail, 0600, "sandbox");
  e.message = e.message.substr(0, e.message.find_last_not_of(": ") + 1);
  e.detail = std::string(reason) + (kept ? "\nall that runsc said is in " + file : "");
  return e;
}

}  // namespace detail

// A checkpoint saves no socket that is bound in a directory of the host's, and no connection over one (release-20260701.0:
// "Cannot save endpoint with bound host socket").
BERTH_DECL boost::asio::awaitable<result<void>> sandbox::have_guest_retreat(bool for_good, duration unused_for,
                                                                            time_point deadline) {
  ::unlink(detail::wake_path(record_).c_str());
  auto opening = open_guest(deadline);
  auto channel = co_await std::move(opening);
  if (!channel) co_return std::move(channel).error();
  // From here on who uses it waits for the lock, and then wakes it.
  if (for_good) BERTH_CO_TRY(paused_marker(record_).write(true));
  if (unused_for > duration::zero()) {
    // From its answer on the guest takes nothing up but what is said here.
    guest_rest wanted{static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(unused_for).count())};
    std::string question = encode(wanted);
    auto resting = channel->send(guest_frame_kind::rest, std::move(question), deadline);
    BERTH_CO_TRY(co_await std::move(resting));
    auto hearing = channel->next(deadline);
    auto said = co_await std::move(hearing);
    if (!said) co_return std::move(said).error();
    const auto idle = said->kind == guest_frame_kind::idle_for
                          ? decode_guest<guest_rest>(said->payload)
                          : result<guest_rest>(make_error(errc::hostile, "sandbox",
                                                          "the sandbox's guest spoke out of turn", record_.id));
    if (!idle) co_return idle.error();
    if (idle->ms < wanted.ms) co_return make_error(errc::state, "sandbox", "the sandbox is in use", record_.id);
  }
  std::string how = for_good ? "1" : "";
  auto asking = channel->send(guest_frame_kind::retreat, std::move(how), deadline);
  auto asked = co_await std::move(asking);
  if (!asked) co_return asked;
  auto waiting = channel->next(deadline);
  auto answer = co_await std::move(waiting);
  if (!answer) co_return std::move(answer).error();
  if (answer->kind == guest_frame_kind::refused) {
    auto why = decode_guest<guest_refused>(answer->payload);
    if (!why) co_return std::move(why).error();
    std::string said;
    append_shown(said, why->message);
    co_return make_error(errc::state, "sandbox", "the sandbox cannot be saved now: " + said, record_.id,
                         "try again when that has ended");
  }
  if (answer->kind != guest_frame_kind::retreating)
    co_return make_error(errc::hostile, "sandbox", "the sandbox's guest spoke out of turn", record_.id);
  // Its last socket is this one.
  auto ending = channel->next(deadline);
  auto over = co_await std::move(ending);
  if (over) co_return make_error(errc::hostile, "sandbox", "the sandbox's guest spoke out of turn", record_.id);
  if (over.error().code != errc::sandbox_not_running) co_return std::move(over).error();
  co_return result<void>();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::save(save_request what, time_point deadline) {
  // One that is asleep need not be woken only to sleep elsewhere, where it may be already.
  if (!what.to_sleep || !is_asleep()) {
    auto waking = be_awake();
    BERTH_CO_TRY(co_await std::move(waking));
  }
  if (record_.guest != guest_protocol_version) co_return detail::no_guest_error(record_);
  auto binary = co_await runsc_by(deadline);
  if (!binary) co_return std::move(binary).error();
  runsc_checkpoint_options options;
  options.image_path = what.directory;
  // Where more is to be saved than what runsc saves, all stands still until that is done as well, and goes on if it fails.
  const bool hold = static_cast<bool>(what.meanwhile);
  options.leave_running = what.leave_running || hold;
  auto argv = runsc_checkpoint_argv(*binary, globals(), record_.container_id(), options);
  if (!argv) co_return std::move(argv).error();
  std::string own = record_.directory;
  auto waiting = detail::directory_lock::lock(std::move(own), deadline);
  auto lock = co_await std::move(waiting);
  if (!lock) co_return std::move(lock).error();
  // It may have fallen asleep while this waited; from here on it does not.
  BERTH_CO_TRY(read_record_again());
  if (what.to_sleep) {
    if (record_.is_hibernated()) co_return result<void>();  // by another who was asked to
    BERTH_CO_TRY(detail::make_hibernation(record_, *binary));
  }
  if (record_.is_hibernated()) {
    auto restoring = bring_back(deadline);
    BERTH_CO_TRY(co_await std::move(restoring));
  } else if (is_asleep()) {
    auto resuming = set_paused(false, deadline);
    BERTH_CO_TRY(co_await std::move(resuming));
    paused_marker(record_).remove();
  }
  auto retreating = have_guest_retreat(what.to_sleep, what.unused_for, deadline);
  auto retreated = co_await std::move(retreating);
  if (!retreated && what.to_sleep) paused_marker(record_).remove();
  result<void> saved = retreated;
  if (retreated && hold) {
    saved = paused_marker(record_).write(what.to_sleep);
    if (saved) {
      auto pausing = set_paused(true, deadline);
      saved = co_await std::move(pausing);
    }
  }
  if (saved) {
    auto work = detail::run_runsc(std::move(*argv), deadline);
    auto done = co_await std::move(work);
    if (!done) {
      error e = detail::without_stacks(std::move(done).error(), record_);
      if ((e.message + e.detail).find("bound host socket") != std::string::npos)
        e.hint =
            "a program inside has a socket of its own in " + std::string(shared_inside) +
            ", such as a dockerd that a program on this host supervises: only what the sandbox's guest starts can be saved";
      saved = std::move(e);
    }
  }
  if (saved && hold) {
    // Nobody resumes it meanwhile: that takes the lock as well.
    auto working = what.meanwhile();
    saved = co_await std::move(working);
  }
  auto ending = past_cancellation(end_save(what, std::move(retreated), std::move(saved)));
  co_return co_await std::move(ending);
}

// Whatever became of it, and of whoever waits for it: it is not left deaf.
BERTH_DECL boost::asio::awaitable<result<void>> sandbox::end_save(const save_request& what, result<void> retreated,
                                                                  result<void> saved) {
  const bool hold = static_cast<bool>(what.meanwhile);
  if (saved && !what.leave_running) {
    auto ending = hold ? stop() : wait_stopped(deadline_after(seconds(10)));
    auto ended = co_await std::move(ending);
    paused_marker(record_).remove();
    co_return ended;
  }
  if (retreated && hold && record_.process_alive()) {
    auto resuming = set_paused(false, deadline_after(seconds(10)));
    auto resumed = co_await std::move(resuming);
    if (resumed) paused_marker(record_).remove();
    else if (saved) saved = std::move(resumed);
  }
  if (what.to_sleep && !saved && record_.is_up()) (void)call_hibernation_off();
  if (!retreated && retreated.error().code == errc::state) co_return saved;
  if (record_.process_alive()) {
    auto woken = replace_file(detail::wake_path(record_), encode(guest_wake{}), 0600, "sandbox");
    if (!woken && saved) saved = std::move(woken).error();
    auto waiting_for_it = wait_for_guest(deadline_after(seconds(10)));
    co_await std::move(waiting_for_it);
  }
  co_return saved;
}

// Others find it where it was when this is over.
BERTH_DECL boost::asio::awaitable<void> sandbox::wait_for_guest(time_point deadline) {
  for (bool answers = false; !answers && record_.process_alive() && clock::now() < deadline;) {
    // One that was just going when this connected never answers; the next attempt meets it again.
    const time_point soon = std::min(deadline, deadline_after(seconds(1)));
    std::string path = shared_path(guest_socket_name);
    auto opening = guest_channel::open(std::move(path), soon);
    const auto channel = co_await std::move(opening);
    answers = channel.has_value();
    const milliseconds pause(2);
    if (!answers) (void)co_await pause_for(pause);
  }
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::checkpoint(std::string directory, bool leave_running,
                                                                    duration patience, standstill_work meanwhile) {
  auto self = shared_from_this();
  save_request what;
  what.directory = std::move(directory);
  what.leave_running = leave_running;
  what.meanwhile = std::move(meanwhile);
  auto work = save(std::move(what), deadline_after(patience));
  auto done = co_await cancellation_as_error(std::move(work));
  co_return done;
}

}  // namespace berth
