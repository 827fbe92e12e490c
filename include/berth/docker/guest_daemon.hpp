// SPDX-License-Identifier: Apache-2.0
// The dockerd that a sandbox's guest keeps, as seen from the host. It needs no process here, and outlives whoever started it.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/docker/daemon_messages.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

/// Files of the guest's in a sandbox's shared directory: what it keeps, as JSON; what dockerd and the command printed, each
/// with an older part in NAME.1.
inline constexpr std::string_view docker_socket_name = "docker.sock";  ///< dockerd's, while it is ready
inline constexpr std::string_view guest_status_name = "status.json";
inline constexpr std::string_view guest_daemon_log_name = sandbox_record::daemon_log_name;
inline constexpr std::string_view guest_command_log_name = sandbox_record::command_log_name;

/// Talks to the guest of a managed sandbox about its dockerd. Each call has a connection of its own, several may be under way,
/// and any process may make them. Used from the loop's thread only; cheap to make.
class guest_daemon {
 public:
  /// What the guest reports goes to `log`, held to `log_limit`: the contract's lines among it.
  explicit guest_daemon(std::shared_ptr<sandbox> box, log_sink log = {}) : box_(std::move(box)), log_(std::move(log)) {}

  /// Starts dockerd where it is not up, and returns once it is ready or has failed, within `ready_timeout` and a second. A
  /// start that is cancelled here goes on inside. `run` as in begin. Errors: as daemon_supervisor::start; besides, as
  /// sandbox::open_guest.
  BERTH_DECL boost::asio::awaitable<result<void>> start(supervisor_options options, std::optional<command> run = {});

  /// Starts dockerd, where `docker` is given, then `run`, where that is: its output goes to guest_command_log_name, and the
  /// sandbox ends with it, or where dockerd fails. Returns as soon as the guest has taken it up: nothing more is needed of the
  /// host, and wait_ready tells how it goes. Errors: as sandbox::open_guest.
  BERTH_DECL boost::asio::awaitable<result<void>> begin(std::optional<supervisor_options> docker,
                                                        std::optional<command> run = {});

  /// Waits, until `deadline`, for a dockerd that is ready and answers, or that is neither ready nor starting: an error then,
  /// that of its failure. What was logged since the start comes first. Errors: timeout; state (nobody started it); as
  /// sandbox::open_guest.
  BERTH_DECL boost::asio::awaitable<result<void>> wait_ready(time_point deadline);

  /// Whether dockerd answers now on its socket in the shared directory; true where it has none there.
  BERTH_DECL boost::asio::awaitable<bool> answers(time_point deadline);

  /// Stops what the guest keeps: the command, which has 10 s from SIGTERM to SIGKILL, then the containers, then dockerd, each
  /// with the deadlines that it was started with. When there is nothing, at once.
  BERTH_DECL boost::asio::awaitable<result<void>> stop(time_point deadline);

  /// What the guest keeps, and each change of it, after what was logged since the start, until `go_on` gives false,
  /// `deadline`, or the end of the sandbox. Errors: timeout, cancelled; as sandbox::open_guest.
  BERTH_DECL boost::asio::awaitable<result<void>> watch(std::function<bool(const guest_status&)> go_on,
                                                        time_point deadline);

  /// Each status that the guest tells during any of the calls; and, where it is set, dockerd's lines, as far as they come while
  /// a call is under way and this host keeps up. Set before a call.
  std::function<void(const guest_status&)> on_status;
  std::function<void(output_stream, std::string_view line)> on_line;
  /// What happened in the sandbox (the last 64 events of the guest's life come first during watch), held to `log_limit`.
  std::function<void(const sandbox_event&)> on_event;
  rate_limit log_limit{200, 10, 128 << 10, 8 << 10, 4000};

 private:
  boost::asio::awaitable<result<void>> converse(daemon_request request, time_point deadline,
                                                std::function<bool(const guest_status&)> go_on);
  boost::asio::awaitable<result<void>> converse_once(daemon_request request, time_point deadline,
                                                     std::function<bool(const guest_status&)> go_on);

  std::shared_ptr<sandbox> box_;
  log_sink log_;
};

/// What the guest of a sandbox wrote down last, whether the sandbox runs or not. Asks nobody. A dockerd of a sandbox that has
/// ended is `stopped`. Errors: not_found (it was never asked for anything); hostile (not a status); as read_file.
BERTH_DECL result<guest_status> read_guest_status(const sandbox_record& record);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/guest_daemon.ipp>
#endif
