// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/snapshot/pool_plan.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL pool_step pool_plan::next(int ready, time_point now) const noexcept {
  if (failures_ >= most_failures)
    return being_made_ > 0 ? pool_step{pool_step::kind::wait} : pool_step{pool_step::kind::give_up};
  const int missing = rate_.size - ready - being_made_;
  if (missing <= 0) return being_made_ > 0 ? pool_step{pool_step::kind::wait} : pool_step{pool_step::kind::full};
  // After a failure one is tried alone: what fails once mostly fails for all.
  const int at_once = failures_ > 0 ? 1 : std::max(rate_.at_once, 1);
  if (being_made_ >= at_once) return {pool_step::kind::wait};
  if (now < not_before_) return {pool_step::kind::wait, not_before_};
  return {pool_step::kind::make};
}

BERTH_DECL void pool_plan::began(time_point now) noexcept {
  ++being_made_;
  if (rate_.per_minute <= 0) return;
  const auto gap = std::chrono::duration_cast<duration>(std::chrono::duration<double>(60.0 / rate_.per_minute));
  not_before_ = std::max(not_before_, now + gap);
}

BERTH_DECL void pool_plan::succeeded() noexcept {
  --being_made_;
  failures_ = 0;
}

BERTH_DECL void pool_plan::failed(time_point now) noexcept {
  --being_made_;
  failures_ = std::min(failures_ + 1, most_failures);
  not_before_ = std::max<time_point>(not_before_, now + seconds(1) * (1 << (failures_ - 1)));
}

}  // namespace berth
