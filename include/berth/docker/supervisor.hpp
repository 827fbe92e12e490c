// SPDX-License-Identifier: Apache-2.0
// dockerd in a sandbox: started, watched, waited for, restarted, stopped.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/log.hpp>
#include <berth/base/rate_limit.hpp>
#include <berth/base/result.hpp>
#include <berth/docker/daemon_fsm.hpp>
#include <berth/docker/plan.hpp>
#include <berth/process/executor.hpp>
#include <berth/readiness/poll.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace berth {

struct supervisor_options {
  docker_plan_options plan;  ///< what dockerd's arguments depend on
  duration ready_timeout = seconds(30);
  restart_policy restart;
  duration stop_containers_timeout = seconds(10);
  duration term_timeout = seconds(10);
  duration kill_timeout = seconds(5);
  /// The daemon's socket as this host reaches it; empty: readiness is asked by commands inside (`docker info`'s equal).
  std::string host_socket;
  /// Where dockerd tells that it is ready (sd_notify), with `host_socket` only: the start of a path, in a directory of mode
  /// 0700, that dockerd sees as this process does, so for whoever runs in the sandbox. One answer of the API then confirms
  /// it, and without a notice the API is asked now and then. Empty: it is asked all the time.
  std::string notify_path;
  log_sink log;                                                              ///< the contract's lines
  std::function<void(output_stream, std::string_view line)> on_daemon_line;  ///< dockerd's own log
  /// What the sandbox may say through `log` (its own words in warnings of the start) and through on_daemon_line. Beyond it
  /// lines are dropped, and one line in that place tells how many.
  rate_limit log_limit{32, 2, 16 << 10, 1 << 10, 1000};
  rate_limit line_limit{4000, 500, 1 << 20, 128 << 10, 64 << 10};
};

struct daemon_status {
  daemon_state state = daemon_state::disabled;
  pid_t pid = 0;           ///< inside the sandbox, or 0
  duration ready_after{};  ///< from start to ready
  std::uint32_t restarts = 0;
  std::optional<daemon_failure> failure;
};

/// Supervises one dockerd through an executor, on the loop of `executor`'s thread. The same for a managed sandbox and
/// for one that berth does not own.
class daemon_supervisor {
 public:
  /// `where` is borrowed. It must outlive the supervisor and what goes on in the background after that: dockerd is killed,
  /// a command inside that is under way (a probe's, a shutdown's) is ended, for some seconds at most. Whoever runs the loop
  /// until it has nothing left to do is on the safe side. `loop` is the executor of an io_context that one thread runs;
  /// everything here belongs to that thread.
  BERTH_DECL daemon_supervisor(boost::asio::any_io_executor loop, executor& where, supervisor_options options);
  BERTH_DECL daemon_supervisor(daemon_supervisor&&) noexcept;
  BERTH_DECL daemon_supervisor& operator=(daemon_supervisor&&) noexcept;  ///< closes what was there
  BERTH_DECL ~daemon_supervisor();
  /// Ends the supervision now, as the destructor does: calls under way and later ones give `closed`, nothing is logged any
  /// more, and a dockerd that runs is killed in the background. `stop` first, for a graceful end. Again: does nothing.
  BERTH_DECL void close() noexcept;

  /// Checks, prepares, starts and waits until ready, or fails; then goes on supervising in the background. While it is
  /// up already this changes nothing; after a failure or a stop it starts anew, also where the stop is still under way.
  /// Several may call it: when the last of those who wait for one start is cancelled, that start is stopped, in the
  /// background. Errors: invalid and unsupported (the plan), daemon_not_present, daemon_failed, daemon_not_ready,
  /// cancelled, closed, state (somebody called stop meanwhile); the executor's own, where it cannot run dockerd.
  BERTH_DECL boost::asio::awaitable<result<void>> start();
  /// Waits for ready (or a settled state that is not, an error; while it is being stopped, for the end of that); for
  /// those who did not call start themselves. At the deadline the error is `timeout`, and the start goes on.
  BERTH_DECL boost::asio::awaitable<result<void>> wait_ready(time_point deadline);
  BERTH_DECL daemon_status status() const;
  /// Waits for the next change after `state`.
  BERTH_DECL boost::asio::awaitable<daemon_status> wait_change(daemon_state state);
  /// Containers stopped, SIGTERM, SIGKILL, each with its deadline; a start or a restart under way is given up. Returns
  /// once dockerd is gone; when there is none, at once. Of a start and a stop the later call has the last word.
  BERTH_DECL boost::asio::awaitable<result<void>> stop();

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/supervisor.ipp>
#endif
