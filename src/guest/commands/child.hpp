// SPDX-License-Identifier: Apache-2.0
// A command as a child of the guest: its process, and our ends of its streams.
#pragma once

#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>

#include <sys/types.h>

namespace berth::guest {

struct child {
  pid_t pid = -1;
  unique_fd in;   ///< our end of its stdin; with a terminal: none, its input is written to `out`
  unique_fd out;  ///< our end of its stdout, or the terminal's master
  unique_fd err;
  bool terminal = false;
};

/// Starts it in a process group of its own, or, with a terminal, in a session of its own. Our ends are non-blocking.
/// The error is told as the frame tells it.
struct start_outcome {
  child started;
  guest_refused refused;  ///< where started.pid is -1
};
start_outcome start_child(const guest_start& what);

/// The size of a terminal, by its master.
void set_terminal_size(int master, guest_terminal_size size);

}  // namespace berth::guest
