// SPDX-License-Identifier: Apache-2.0
// What the host and a sandbox's guest say to each other about what the guest keeps, dockerd and a command, as JSON. Pure,
// no I/O.
#pragma once

#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/process/executor.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

/// The host's request: the only one of its connection.
struct daemon_request {
  enum class kind {
    start,  ///< start dockerd, where it is not up, then the command; news follow until dockerd is ready or has failed
    stop,   ///< stop the command, with SIGTERM first, then the containers, then dockerd; news follow until all is gone
    watch,  ///< news until the connection ends
  };
  kind what = kind::watch;
  /// For start. Sinks, callbacks and rate limits do not travel.
  std::optional<supervisor_options> docker;
  bool lines = false;   ///< dockerd's lines are wanted as news, too
  bool so_far = false;  ///< what was logged since the start, and the last events, come first
  /// For start: run once, when dockerd is ready; its output goes to a log, and the sandbox ends with it.
  std::optional<command> run;
};

/// The command that a sandbox was left with.
struct kept_command {
  enum class state { waiting, running, exited };
  state now = state::waiting;
  int exit_code = 0;  ///< once it has exited, the shell's convention
};
/// "waiting", "running", "exited". Static text.
BERTH_DECL std::string_view kept_command_state_name(kept_command::state state) noexcept;

/// What a sandbox's guest keeps.
struct guest_status {
  daemon_status docker;  ///< `disabled` where it was never asked for one
  std::optional<kept_command> command;
};

/// What happened in a sandbox, as its guest saw it. Hostile: a sandbox may say anything here.
struct sandbox_event {
  enum class kind {
    container_out_of_memory,  ///< over its memory limit, it was killed
    docker_ready,             ///< for the first time, or again
    docker_ended,             ///< dockerd ended by itself, and is started again
    docker_failed,            ///< it did not come up, or ended too often: it is not started again
    docker_stopped,           ///< as it was asked
  };
  kind what = kind::docker_ready;
  std::int64_t at_ms = 0;  ///< milliseconds since the epoch, by the sandbox's clock
  std::string container;   ///< its id in Docker, where it is about one
  std::string message;     ///< for people
};
/// "container_out_of_memory", "docker_ready", … Static text.
BERTH_DECL std::string_view sandbox_event_name(sandbox_event::kind kind) noexcept;
/// What a change of dockerd's state is to those who hear of events, if anything.
BERTH_DECL std::optional<sandbox_event> event_of_change(daemon_state before, const daemon_status& now);
/// {"event","at_ms","container","message"}, the one form everywhere.
BERTH_DECL std::string format_sandbox_event(const sandbox_event& event);

/// One piece of the guest's news. Hostile: a sandbox may say anything here.
struct daemon_news {
  std::optional<guest_status> status;
  std::optional<log_event> log;
  std::optional<sandbox_event> event;
  /// A line of dockerd's.
  std::optional<std::pair<output_stream, std::string>> line;
  /// What was asked for is over; no more news follow. `failed` where it did not succeed.
  bool done = false;
  std::optional<error> failed;
};

BERTH_DECL std::string format_daemon_request(const daemon_request& request);
/// Errors: invalid, with the JSON pointer or key.
BERTH_DECL result<daemon_request> parse_daemon_request(std::string_view json);

/// At most guest_frame_limit bytes: long texts are cut.
BERTH_DECL std::string format_daemon_news(const daemon_news& news);
/// Errors: hostile, for what cannot be read. Texts are as they came: they are made visible where they are shown. Hints do not
/// travel: those of known failures are looked up by their id here, others are empty.
BERTH_DECL result<daemon_news> parse_daemon_news(std::string_view json);

/// The status alone, as the guest keeps it in a file for those who do not ask: guest_status_name.
BERTH_DECL std::string format_guest_status(const guest_status& status);
BERTH_DECL result<guest_status> parse_guest_status(std::string_view json);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/daemon_messages.ipp>
#endif
