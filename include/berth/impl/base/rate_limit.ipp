// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/rate_limit.hpp>

#include <algorithm>

namespace berth {

BERTH_DECL void rate_limiter::fill(time_point now) noexcept {
  if (filled_ == time_point()) filled_ = now;
  // By whole seconds, so that slow rates lose nothing to rounding; an hour fills every bucket.
  const std::int64_t passed = (now - filled_) / seconds(1);
  if (passed <= 0) return;
  filled_ += passed * seconds(1);
  const auto add = [passed](std::uint64_t& have, std::uint64_t most, std::uint64_t per_second) {
    have = std::min(most, have + per_second * static_cast<std::uint64_t>(std::min<std::int64_t>(passed, 3600)));
  };
  add(lines_, limit_.lines, limit_.lines_per_second);
  add(bytes_, limit_.bytes, limit_.bytes_per_second);
}

BERTH_DECL bool rate_limiter::has_room(time_point now) noexcept {
  fill(now);
  return lines_ >= std::max<std::uint64_t>(limit_.lines / 2, 1) && bytes_ >= limit_.bytes / 2;
}

BERTH_DECL bool rate_limiter::admit(std::string_view& line, time_point now) noexcept {
  fill(now);
  const std::string_view shown = line.substr(0, limit_.longest);
  // Once something was dropped, nothing more comes until half of the bucket is filled again: the reader sees whole passages,
  // and one line that tells of the gap between them.
  const bool gap = dropped_.lines > 0;
  if (lines_ == 0 || bytes_ < shown.size() || (gap && !has_room(now))) {
    ++dropped_.lines;
    dropped_.bytes += line.size();
    return false;
  }
  --lines_;
  bytes_ -= shown.size();
  line = shown;
  return true;
}

}  // namespace berth
