// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/detail/bundle.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <unistd.h>

namespace berth {

namespace detail {

/// There while the sandbox is paused, or may be: it is made before and removed after, so that nobody waits for a sandbox that
/// answers nothing.
inline std::string paused_marker(const sandbox_record& record) { return record.directory + "/paused"; }

inline error paused_error(const sandbox_record& record) {
  return make_error(errc::sandbox_not_running, "sandbox", "the sandbox is paused", record.id, "resume it first");
}

}  // namespace detail

BERTH_DECL bool sandbox::is_paused() const {
  return !record_.damaged && ::access(detail::paused_marker(record_).c_str(), F_OK) == 0;
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::set_paused(bool paused, time_point deadline) {
  const auto wanted = paused ? sandbox_state::paused : sandbox_state::running;
  auto binary = co_await runsc_by(deadline);
  if (!binary) co_return std::move(binary).error();
  auto argv = paused ? runsc_pause_argv(*binary, globals(), record_.container_id())
                     : runsc_resume_argv(*binary, globals(), record_.container_id());
  if (!argv) co_return std::move(argv).error();
  auto asked = co_await detail::run_runsc(std::move(*argv), deadline);
  if (asked) co_return result<void>();
  // runsc refuses what is so already.
  auto now = co_await find_state(std::max(duration(milliseconds(100)), deadline - clock::now()));
  if (now && *now == wanted) co_return result<void>();
  if (now && *now == sandbox_state::stopped)
    co_return detail::not_running_error(record_, "the sandbox does not run any more");
  co_return std::move(asked).error();
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::pause(duration patience) {
  auto self = shared_from_this();
  const time_point deadline = deadline_after(patience);
  if (!is_paused()) BERTH_CO_TRY(check_running());
  BERTH_CO_TRY(replace_file(detail::paused_marker(record_), {}, 0600, "sandbox"));
  auto work = set_paused(true, deadline);
  auto done = co_await cancellation_as_error(std::move(work));
  if (!done) {
    // What was begun may still come to pass: it goes on in any case.
    auto undo = set_paused(false, deadline_after(seconds(5)));
    const auto runs = co_await cancellation_as_error(std::move(undo));
    if (runs) ::unlink(detail::paused_marker(record_).c_str());
  }
  co_return done;
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::resume(duration patience) {
  auto self = shared_from_this();
  if (!is_paused()) co_return check_running();
  auto work = set_paused(false, deadline_after(patience));
  auto done = co_await cancellation_as_error(std::move(work));
  if (done) ::unlink(detail::paused_marker(record_).c_str());
  co_return done;
}

}  // namespace berth
