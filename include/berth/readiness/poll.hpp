// SPDX-License-Identifier: Apache-2.0
// Waiting until a probe says ready, the deadline passes, the process ends or the caller cancels.
#pragma once

#include <berth/readiness/poll_result.hpp>
#include <berth/readiness/probe.hpp>
#include <berth/readiness/schedule.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace berth {

struct poll_options {
  probe_schedule schedule = probe_schedule::cheap();
  time_point deadline = time_point::max();                                      ///< absolute
  std::function<void(std::uint32_t attempt, const probe_outcome&)> on_attempt;  ///< after each probe that was not ready
};

/// Tells a poll that the process it waits for has ended, so that it stops at once. Set on the loop's thread; outlives
/// the poll.
class exit_notice {
 public:
  void set(exit_status status) {
    status_ = status;
    if (wake_) wake_();
  }
  const std::optional<exit_status>& status() const noexcept { return status_; }
  /// One listener at a time; the poll's own business.
  void on_set(std::function<void()> wake) { wake_ = std::move(wake); }

 private:
  std::optional<exit_status> status_;
  std::function<void()> wake_;
};

/// Asks `question` by the schedule, the first time at once. Borrowed arguments must outlive the wait. Thousands may run
/// on one loop; each costs about 2 KiB while it sleeps. Cancelled by the slot of the coroutine (terminal cancellation),
/// which is an outcome and not an exception. An exception that the probe throws is a fatal outcome.
BERTH_DECL boost::asio::awaitable<poll_result> poll_until_ready(probe& question, poll_options options,
                                                                exit_notice* process = nullptr);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/poll.ipp>
#endif
