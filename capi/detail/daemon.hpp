// SPDX-License-Identifier: Apache-2.0
// A supervised dockerd on a loop: shared by berth_daemon and by sandboxes that berth manages.
#pragma once

#include "daemon_keeper.hpp"
#include "docker_options.hpp"
#include "executor.hpp"

#include <berth/docker/supervisor.hpp>

#include <functional>
#include <mutex>

namespace berth::capi {

/// Where the supervisor's news go.
struct daemon_settings {
  supervisor_options options;
  bool events = true;  ///< BERTH_EVENT_DAEMON_STATE
  bool lines = false;  ///< BERTH_EVENT_DAEMON_LINE
  std::uint64_t user_data = 0;
  std::function<void(daemon_state)> on_state = {};  ///< on the loop's thread, at each change
  /// The sandbox whose guest keeps it; none: it is supervised from here.
  std::shared_ptr<sandbox> box = {};
};
/// Timeouts, restarts, "events", "daemon_lines" and what the plan depends on.
void read_daemon_settings(options_object& o, daemon_settings& settings);

/// As berth_daemon_status gives it.
std::string daemon_status_json(const daemon_status& status);

/// For the DONE of an operation that gives a status: the state as code, the status as payload.
op_outcome status_outcome(const daemon_status& status);

class daemon_core final : public resident, public std::enable_shared_from_this<daemon_core> {
 public:
  daemon_core(std::shared_ptr<executor_core> where, daemon_settings settings)
      : loop(where->loop), where_(std::move(where)), settings_(std::move(settings)) {}

  const std::shared_ptr<loop_core> loop;

  /// Makes what keeps it and follows that. Loop thread only.
  void open();
  void close_on_loop() noexcept override;

  /// As it is now. Loop thread only.
  daemon_state state() const { return keeper_ ? keeper_->status().state : status().state; }

  // As operations; each gives the status as payload. Loop thread only.
  asio::awaitable<op_result> start(op_pointer op);
  asio::awaitable<result<void>> begin();  ///< daemon_keeper::begin
  asio::awaitable<op_result> wait_ready(op_pointer op);
  asio::awaitable<op_result> stop(op_pointer op);

  /// As last known. Any thread.
  daemon_status status() const;

 private:
  result<std::shared_ptr<daemon_keeper>> keeper() const;
  void publish(const daemon_status& status);
  op_result outcome(const op_pointer& op, result<void>&& done);
  static asio::awaitable<void> follow(std::shared_ptr<daemon_core> self, std::shared_ptr<daemon_keeper> what);

  const std::shared_ptr<executor_core> where_;
  daemon_settings settings_;
  std::shared_ptr<daemon_keeper> keeper_;  // loop thread only
  std::optional<error> broken_;
  bool closed_ = false;

  mutable std::mutex mutex_;
  daemon_status last_;
};

struct daemon_object final : handle_object {
  static constexpr handle_kind kind = handle_kind::daemon;
  static constexpr handle_use use = handle_use::shared;
  explicit daemon_object(std::shared_ptr<daemon_core> c) : core(std::move(c)) {}
  ~daemon_object() override {
    const auto loop = core->loop;
    loop->retire(std::move(core));
  }
  std::shared_ptr<daemon_core> core;
};

}  // namespace berth::capi
