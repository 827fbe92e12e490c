// SPDX-License-Identifier: Apache-2.0
// The monotonic clock that all deadlines are measured on.
#pragma once

#include <chrono>

namespace berth {

using clock = std::chrono::steady_clock;  ///< CLOCK_MONOTONIC; pure code takes a time_point as an argument instead
using time_point = clock::time_point;     ///< an absolute deadline; time_point::max() means none
using duration = clock::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// now + d, without overflow for "no limit".
inline time_point deadline_after(duration d, time_point now = clock::now()) {
  return d >= time_point::max() - now ? time_point::max() : now + d;
}

}  // namespace berth
