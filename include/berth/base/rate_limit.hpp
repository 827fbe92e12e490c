// SPDX-License-Identifier: Apache-2.0
// How much a stranger may make us write: a bucket of lines and one of bytes, which fill again with time.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/config.hpp>

#include <cstdint>
#include <string_view>

namespace berth {

/// At once `lines` lines of `bytes` bytes in all, each of `longest` bytes at most; then so many more a second.
struct rate_limit {
  std::uint64_t lines = 0;
  std::uint64_t lines_per_second = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_per_second = 0;
  std::size_t longest = 0;
};

/// What was not let through since it was last asked.
struct dropped_lines {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
};

/// Pure: the time is an argument. A line is let through, cut to the longest, or counted.
class rate_limiter {
 public:
  explicit rate_limiter(rate_limit limit) : limit_(limit), lines_(limit.lines), bytes_(limit.bytes) {}

  /// Takes the line's share, and cuts it to the longest. False: it is to be dropped, and is counted.
  BERTH_DECL bool admit(std::string_view& line, time_point now) noexcept;
  /// Whether half of the bucket is there: a gap ends then.
  BERTH_DECL bool has_room(time_point now) noexcept;

  const dropped_lines& dropped() const noexcept { return dropped_; }
  dropped_lines take_dropped() noexcept {
    const dropped_lines out = dropped_;
    dropped_ = {};
    return out;
  }

 private:
  void fill(time_point now) noexcept;

  rate_limit limit_;
  std::uint64_t lines_;  // what may still come
  std::uint64_t bytes_;
  time_point filled_{};
  dropped_lines dropped_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/rate_limit.ipp>
#endif
