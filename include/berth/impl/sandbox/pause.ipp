// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/grace.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/paused_marker.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <unistd.h>

namespace berth {

namespace detail {

inline error paused_error(const sandbox_record& record) {
  return make_error(errc::sandbox_not_running, "sandbox", "the sandbox is paused", record.id, "resume it first");
}

}  // namespace detail

BERTH_DECL bool sandbox::is_paused() const { return !record_.damaged && paused_marker(record_).is_there(); }

BERTH_DECL bool sandbox::is_asleep() const { return !record_.damaged && paused_marker(record_).says_asleep(); }

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::set_paused(bool paused, time_point deadline) {
  auto binary = co_await runsc_by(deadline);
  if (!binary) co_return std::move(binary).error();
  auto argv = paused ? runsc_pause_argv(*binary, globals(), record_.container_id())
                     : runsc_resume_argv(*binary, globals(), record_.container_id());
  if (!argv) co_return std::move(argv).error();
  // Killed while it writes its state file anew, runsc leaves half of one, and the sandbox to nobody (20260905.0).
  auto asking = with_grace(detail::run_runsc(std::move(*argv), deadline), seconds(2));
  auto asked = co_await std::move(asking);
  if (asked) co_return result<void>();
  // runsc refuses what is so already.
  auto now = co_await find_state(std::max(duration(milliseconds(100)), deadline - clock::now()));
  if (now && (paused ? *now == sandbox_state::paused : *now == sandbox_state::running)) co_return result<void>();
  if (now && *now == sandbox_state::stopped)
    co_return detail::not_running_error(record_, "the sandbox does not run any more");
  co_return std::move(asked).error();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::begin_pause(time_point deadline) {
  if (!is_paused()) BERTH_CO_TRY(check_running());
  auto waiting = detail::directory_lock::lock(record_.directory, deadline);
  auto lock = co_await std::move(waiting);
  if (!lock) co_return std::move(lock).error();
  BERTH_CO_TRY(read_record_again());
  if (record_.is_hibernated())
    co_return make_error(errc::sandbox_not_running, "sandbox", "the sandbox is hibernated: nothing of it runs",
                         record_.id, "resume it first");
  BERTH_CO_TRY(paused_marker(record_).write(false));
  auto work = set_paused(true, deadline);
  auto done = co_await cancellation_as_error(std::move(work));
  if (!done) {
    // What was begun may still come to pass: it goes on in any case.
    auto undo = past_cancellation(set_paused(false, deadline_after(seconds(5))));
    const auto runs = co_await std::move(undo);
    if (runs) paused_marker(record_).remove();
  }
  co_return done;
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::pause(duration patience) {
  auto self = shared_from_this();
  auto work = begin_pause(deadline_after(patience));
  co_return co_await cancellation_as_error(std::move(work));
}

// Of any number that come at once one does it, and the others find it done.
BERTH_DECL boost::asio::awaitable<result<void>> sandbox::go_on(bool only_if_asleep, time_point deadline) {
  auto waiting = detail::directory_lock::lock(record_.directory, deadline);
  auto lock = co_await std::move(waiting);
  if (!lock) co_return std::move(lock).error();
  BERTH_CO_TRY(read_record_again());
  if (only_if_asleep ? !is_asleep() : !is_paused()) co_return check_running();
  if (record_.is_hibernated()) {
    auto restoring = bring_back(deadline);
    co_return co_await std::move(restoring);
  }
  auto work = set_paused(false, deadline);
  auto done = co_await std::move(work);
  if (done && record_.phase == record_phase::hibernated) done = call_hibernation_off();
  if (done) paused_marker(record_).remove();
  co_return done;
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::resume(duration patience) {
  auto self = shared_from_this();
  if (!is_paused()) co_return check_running();
  auto work = go_on(false, deadline_after(patience));
  co_return co_await cancellation_as_error(std::move(work));
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::be_awake() {
  auto runs = check_running();
  if (runs || !is_asleep()) co_return runs;
  auto work = go_on(true, deadline_after(record_.is_hibernated() ? seconds(120) : seconds(30)));
  co_return co_await cancellation_as_error(std::move(work));
}

}  // namespace berth
