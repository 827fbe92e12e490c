// SPDX-License-Identifier: Apache-2.0
// Keeps dockerd in the sandbox, and the command that the sandbox was left with: the same supervisor that a host has for an
// embedder's sandbox, run beside dockerd, with nobody on the host. What it knows goes to whoever asks, and into files of the
// shared directory.
#pragma once

#include "commands/connection.hpp"
#include "base/event_loop.hpp"
#include "base/event_inbox.hpp"
#include "overlay_watch.hpp"
#include "relay.hpp"

#include <berth/base/log_file.hpp>
#include <berth/docker/daemon_messages.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/guest/executor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

class daemon_keeper {
 public:
  /// `directory` is the shared one; `outer` is the loop that run() gets. `connect` gives connections to the guest itself, for the supervisor's commands.
  daemon_keeper(std::string directory, event_loop& outer, std::function<result<unique_fd>()> connect);
  daemon_keeper(const daemon_keeper&) = delete;
  daemon_keeper& operator=(const daemon_keeper&) = delete;

  /// A request of the connection's, its only one. It is answered now or later, or until it ends. Whether it only listens.
  bool take(std::weak_ptr<connection> from, std::string_view request);

  /// Whether the command, a container or dockerd's start is under way, or a client of Docker's on the host waits for an answer.
  bool in_use() const;
  std::chrono::steady_clock::time_point last_use() const;

  bool starting() const { return status().docker.state == daemon_state::starting; }
  /// Gives up what it has open in the shared directory.
  void retreat();
  /// And takes it again, in a sandbox that was restored or has been itself all the time.
  void come_back(bool restored);

  /// Runs both loops until `outer` is stopped: ours, which is Asio's, waits for the descriptors of the other as well.
  void run(event_loop& outer);

 private:
  boost::asio::awaitable<void> start(std::weak_ptr<connection> from, bool docker, std::optional<command> run);
  boost::asio::awaitable<void> run_command(command what);
  boost::asio::awaitable<void> stop(std::weak_ptr<connection> from);
  boost::asio::awaitable<void> follow(std::shared_ptr<daemon_supervisor> whom);
  void make_supervisor(supervisor_options options);
  void watch(event_loop& outer);
  void step(event_loop& outer);
  /// To all, or to those who want dockerd's lines.
  void tell(const daemon_news& news, bool is_line = false);
  void tell_event(sandbox_event event);
  void publish();
  /// What there is for a dockerd that is ready: its socket for the host, and short links for its layers.
  void serve_docker();
  void follow_layers();
  log_file* open_log(std::optional<log_file>& log, std::string_view name);
  guest_status status() const;
  std::string path_of(std::string_view name) const { return directory_ + "/" + std::string(name); }

  std::string directory_;
  guest_executor executor_;
  event_loop& watched_;
  std::optional<log_file> log_, command_log_;
  std::unique_ptr<relay> relay_;  ///< where dockerd has a socket for the host
  bool retreated_ = false;
  boost::asio::io_context loop_{1};
  std::unique_ptr<boost::asio::posix::stream_descriptor> outer_;
  std::shared_ptr<daemon_supervisor> supervisor_;
  std::string data_root_;  ///< dockerd's
  std::optional<overlay_watch> layers_;
  struct listener {
    std::weak_ptr<connection> who;
    bool lines = false;
  };
  std::vector<listener> listeners_;
  std::optional<kept_command> command_;
  std::shared_ptr<running_command> running_;  ///< the command, while it runs
  bool stopped_ = false;                      ///< the command is not to run, or no longer
  std::deque<log_event> said_;                ///< the last since dockerd was started, for those who listen later
  std::deque<sandbox_event> events_;          ///< the last of all
  std::unique_ptr<event_inbox> inbox_;
  std::chrono::steady_clock::time_point last_change_ = std::chrono::steady_clock::now();
  bool over_ = false;  ///< the command has ended, and the sandbox with it
};

}  // namespace berth::guest
