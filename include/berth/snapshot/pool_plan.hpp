// SPDX-License-Identifier: Apache-2.0
// When a pool makes how many more sandboxes: decided without looking at anything, the time is an argument.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/config.hpp>

#include <cstdint>

namespace berth {

/// How quickly a pool fills up again.
struct pool_rate {
  int size = 4;           ///< how many are kept ready
  int at_once = 2;        ///< how many are made side by side
  double per_minute = 0;  ///< how many are begun within a minute; 0: no limit
};

/// What to do now.
struct pool_step {
  enum class kind {
    make,     ///< begin one, and ask again
    wait,     ///< until one that was begun has come to its end, or until `until`, and ask again
    full,     ///< nothing: all are there
    give_up,  ///< nothing: too many failed one after the other
  };
  kind what = kind::full;
  time_point until = time_point::max();
};

/// One filling of a pool, from the first that is missing to the last that is there.
class pool_plan {
 public:
  static constexpr int most_failures = 5;  ///< one after the other

  explicit pool_plan(pool_rate rate) : rate_(rate) {}

  /// `ready`: how many wait in the pool now, whoever made them.
  BERTH_DECL pool_step next(int ready, time_point now) const noexcept;
  BERTH_DECL void began(time_point now) noexcept;
  BERTH_DECL void succeeded() noexcept;
  BERTH_DECL void failed(time_point now) noexcept;

  int being_made() const noexcept { return being_made_; }
  void change(pool_rate rate) noexcept { rate_ = rate; }

 private:
  pool_rate rate_;
  int being_made_ = 0;
  int failures_ = 0;         // one after the other
  time_point not_before_{};  // by the rate, and after a failure
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/snapshot/pool_plan.ipp>
#endif
