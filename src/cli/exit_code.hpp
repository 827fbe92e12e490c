// SPDX-License-Identifier: Apache-2.0
// The exit codes of the command, as docs/reference/command.md states them.
#pragma once

#include <berth/base/error.hpp>

namespace berth::cli {

enum exit_code : int {
  exit_ok = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_not_ready = 3,  ///< a deadline passed: Docker not ready, `exec --timeout` or `run --lifetime`
  exit_not_found = 4,  ///< no such sandbox
};

/// What an error of the library means for the caller of the command. `not_found` from a look-up of a sandbox is turned
/// into exit_not_found by the look-up itself: a missing program or file is a failure like any other.
inline int exit_code_of(const error& e) noexcept {
  switch (e.code) {
    case errc::timeout:
    case errc::daemon_not_ready: return exit_not_ready;
    default: return exit_failed;
  }
}

}  // namespace berth::cli
