// SPDX-License-Identifier: Apache-2.0
// How a process ended.
#pragma once

#include <string>

namespace berth {

/// Exactly one of the two is meaningful: `signal` is 0 when the process exited by itself with `code`.
struct exit_status {
  int code = 0;    ///< 0..255
  int signal = 0;  ///< the signal that ended it, or 0

  bool success() const noexcept { return code == 0 && signal == 0; }

  /// The shell's convention: the code, or 128 + signal.
  int shell_code() const noexcept { return signal != 0 ? 128 + signal : code; }

  /// "exit code 1" or "signal 9".
  std::string to_string() const {
    return signal != 0 ? "signal " + std::to_string(signal) : "exit code " + std::to_string(code);
  }

  friend bool operator==(const exit_status&, const exit_status&) = default;
};

}  // namespace berth
