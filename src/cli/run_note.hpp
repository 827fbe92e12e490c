// SPDX-License-Identifier: Apache-2.0
// What `berth run` made a sandbox for, for the other verbs: <directory>/run.json. Written once; how it goes, the guest tells.
#pragma once

#include <berth/base/result.hpp>

#include <string>
#include <vector>

namespace berth::cli {

struct run_note {
  bool detached = false;
  bool docker = false;
  std::vector<std::string> command;  ///< shortened: for people
};

/// Errors: io.
result<void> write_run_note(const std::string& directory, const run_note& note);

/// Errors: not_found (another program made the sandbox, or it is still being made), record_damaged, io.
result<run_note> read_run_note(const std::string& directory);

}  // namespace berth::cli
