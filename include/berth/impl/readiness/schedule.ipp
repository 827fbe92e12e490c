// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/readiness/schedule.hpp>

#include <algorithm>
#include <cmath>

namespace berth {

BERTH_DECL duration probe_schedule::pause(std::uint32_t attempt, std::uint64_t random) const {
  const double longest = static_cast<double>(std::max(max, first).count());
  const double grown = static_cast<double>(first.count()) * std::pow(std::max(factor, 1.0), attempt);
  const double full = std::min(grown, longest);                       // an overflow to infinity ends here too
  const double chance = static_cast<double>(random >> 11) * 0x1p-53;  // [0, 1)
  const double taken = std::clamp(jitter, 0.0, 1.0) * chance * full;
  // Never zero: a schedule must not turn the loop's thread into a busy wait.
  return std::max<duration>(milliseconds(1), duration(static_cast<duration::rep>(full - taken)));
}

}  // namespace berth
