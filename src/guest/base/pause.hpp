// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <ctime>

namespace berth::guest {

/// Sleeps for so long, also where signals come meanwhile.
inline void pause_for(int milliseconds) {
  timespec t{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
  while (::nanosleep(&t, &t) != 0 && errno == EINTR) {
  }
}

}  // namespace berth::guest
