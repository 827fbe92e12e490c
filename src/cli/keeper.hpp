// The one who keeps a sandbox of `berth run`: makes it, has dockerd supervised, reports, and takes it away.
#pragma once

#include "log_file.hpp"
#include "run_options.hpp"
#include "status_file.hpp"

#include <berth/docker/supervisor.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>

namespace berth::cli {

/// In the foreground `berth run` itself, else the monitor. On one loop.
class keeper : public std::enable_shared_from_this<keeper> {
 public:
  /// Makes the sandbox and writes its status. On failure or cancellation nothing is left.
  static boost::asio::awaitable<result<std::shared_ptr<keeper>>> create(run_plan plan);

  sandbox& box() { return *box_; }
  const run_plan& plan() const { return plan_; }

  /// Starts dockerd and waits until it is ready; it is supervised from then on, and the status follows it.
  boost::asio::awaitable<result<void>> start_docker();

  void command_started();
  void command_ended(const exit_status& status);

  /// Stops Docker gracefully, then the sandbox, and removes all of it.
  boost::asio::awaitable<result<void>> end();

  /// The sandbox has ended: so has Docker, and the status says so from now on.
  boost::asio::awaitable<void> stop_docker();

  /// Stops Docker and the sandbox but leaves its record, status and logs, until somebody removes it.
  boost::asio::awaitable<result<void>> stop();

 private:
  explicit keeper(run_plan plan) : plan_(std::move(plan)) {}
  void report();
  static boost::asio::awaitable<void> follow(std::shared_ptr<keeper> self);

  run_plan plan_;
  std::shared_ptr<sandbox> box_;
  std::optional<log_file> daemon_log_;
  std::unique_ptr<daemon_supervisor> docker_;
  status_report status_;
  bool ended_ = false;
};

}  // namespace berth::cli
