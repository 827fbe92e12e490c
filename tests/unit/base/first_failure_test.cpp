// SPDX-License-Identifier: Apache-2.0
#include <berth/base/first_failure.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(FirstFailure, KeepsTheFirstOfSeveral) {
  first_failure first;
  first.keep({});
  EXPECT_FALSE(first);
  first.keep(make_error(errc::io, "test", "one"));
  first.keep({});
  first.keep(make_error(errc::timeout, "test", "two"));
  ASSERT_TRUE(first);
  const result<void> kept = first.take();
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().message, "one");
}

TEST(FirstFailure, IsSuccessWhereNothingFailed) {
  first_failure first;
  first.keep({});
  EXPECT_TRUE(first.take());
}

}  // namespace
}  // namespace berth
