// SPDX-License-Identifier: Apache-2.0
#include <berth/base/rate_limit.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

struct RateLimit : ::testing::Test {
  // 3 lines of 20 bytes in all, 10 at most each; one line and 5 bytes a second.
  rate_limiter limiter{rate_limit{3, 1, 20, 5, 10}};
  time_point start = time_point() + seconds(1000);
  bool admit(std::string text, duration at) {
    std::string_view line = text;
    const bool in = limiter.admit(line, start + at);
    shown = line;
    return in;
  }
  std::string shown;
};

TEST_F(RateLimit, LetsABurstThroughAndThenAsMuchAsTimeBrings) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit("a", {}));
  EXPECT_FALSE(admit("a", {}));
  EXPECT_FALSE(admit("bc", milliseconds(999)));
  EXPECT_EQ(limiter.dropped().lines, 2u);
  EXPECT_EQ(limiter.dropped().bytes, 3u);
  EXPECT_TRUE(admit("a", seconds(1)));
  const dropped_lines gap = limiter.take_dropped();
  EXPECT_EQ(gap.lines, 2u);
  EXPECT_EQ(limiter.dropped().lines, 0u);
  EXPECT_FALSE(admit("a", milliseconds(1900)));
  EXPECT_TRUE(admit("a", seconds(5)));
}

TEST_F(RateLimit, CutsALineAndCountsBytes) {
  EXPECT_TRUE(admit("0123456789abcdef", {}));
  EXPECT_EQ(shown, "0123456789");
  EXPECT_TRUE(admit("0123456789", {}));
  EXPECT_FALSE(admit("x", {}));
  // After a gap half of the bucket has to be there again.
  EXPECT_FALSE(admit("x", seconds(1)));
  EXPECT_TRUE(admit("x", seconds(2)));
}

TEST_F(RateLimit, AlwaysHasABucketAtMost) {
  EXPECT_TRUE(admit("a", {}));
  const duration later = std::chrono::hours(24 * 365 * 100);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit("a", later));
  EXPECT_FALSE(admit("a", later));
}

}  // namespace
}  // namespace berth
