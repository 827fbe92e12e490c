// SPDX-License-Identifier: Apache-2.0
// When to probe next: a pure value, without clock or sleeping.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/config.hpp>

#include <cstdint>

namespace berth {

/// Back-off between probes. The n-th pause is first * factor^n, at most `max`, less up to `jitter` of itself.
struct probe_schedule {
  duration first = milliseconds(10);
  duration max = milliseconds(25);
  double factor = 1.5;
  double jitter = 0.1;                    ///< 0..1: the part of a pause that chance may take away
  duration attempt_timeout = seconds(2);  ///< the cap on each probe

  /// For a unix socket on this host: 5 to 20 ms.
  static probe_schedule cheap() { return {milliseconds(5), milliseconds(20), 1.5, 0.1, seconds(2)}; }
  /// For a command run in the sandbox: 50 to 500 ms.
  static probe_schedule costly() { return {milliseconds(50), milliseconds(500), 1.5, 0.1, seconds(5)}; }

  /// The pause after attempt `attempt` (from 0), at least 1 ms; `random` is any 64-bit number and decides the jitter.
  BERTH_DECL duration pause(std::uint32_t attempt, std::uint64_t random) const;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/schedule.ipp>
#endif
