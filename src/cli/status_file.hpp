// What the process that keeps a sandbox says of it, for the other verbs: <directory>/status.json.
#pragma once

#include "json.hpp"

#include <berth/docker/daemon_fsm.hpp>
#include <berth/sandbox/process_identity.hpp>
#include <berth/sandbox/record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace berth::cli {

/// Where the command of `berth run` stands.
enum class command_state { none, waiting, running, exited };
std::string_view command_state_name(command_state state);

/// Why Docker is not ready, as kept in the file.
struct failure_report {
  error why;                    ///< message, hint and detail for people
  std::string phase;
  std::int64_t elapsed_ms = 0;
  std::uint32_t attempts = 0;
  std::string exited;           ///< "exit code 1", "signal 9", or empty
  std::string last_probe;
  std::string hint_id;
};

/// The record says what a sandbox is; this says how it does.
struct status_report {
  /// The monitor, or the `berth run` in the foreground. Read in another boot, it has the number only, and is not alive.
  process_identity keeper;
  bool detached = false;
  bool docker_wanted = false;
  daemon_state docker = daemon_state::disabled;
  int docker_pid = 0;                 ///< inside
  std::int64_t ready_after_ms = 0;
  std::uint32_t restarts = 0;
  std::optional<failure_report> failure;
  std::vector<std::string> command;
  command_state command_is = command_state::none;
  int exit_code = 0;                  ///< once it has exited, the shell's convention

  /// starting may still become ready; the others stay as they are until somebody acts.
  bool docker_settled() const {
    return docker == daemon_state::failed || docker == daemon_state::not_present || docker == daemon_state::stopped ||
           docker == daemon_state::disabled;
  }
};

failure_report make_failure_report(const daemon_failure& failure);

json docker_json(const status_report& status);
json command_json(const status_report& status);

std::string status_path(const std::string& directory);

/// Replaces the file atomically; readers see the old one or the new one.
result<void> write_status(const std::string& directory, const status_report& status);

/// Errors: not_found (another program keeps the sandbox, or it is still being made), record_damaged, io.
result<status_report> read_status(const std::string& directory);

}  // namespace berth::cli
