// SPDX-License-Identifier: Apache-2.0
#include "../process/loop.hpp"

#include <berth/snapshot/detail/task_group.hpp>

#include <gtest/gtest.h>

namespace berth::test {
namespace {

using boost::asio::awaitable;

awaitable<void> wait_and_undo(int& cancelled, int& undone) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto waiting = pause_for(seconds(1000));
  const bool waited = co_await std::move(waiting);
  if (waited) co_return;
  ++cancelled;
  const auto undo = []() -> awaitable<result<void>> {
    auto pausing = pause_for(milliseconds(5));
    const bool whole = co_await std::move(pausing);
    if (!whole) co_return make_error(errc::cancelled, "test", "cut short");
    co_return result<void>();
  };
  auto undoing = past_cancellation(undo());
  const auto done = co_await std::move(undoing);
  if (done) ++undone;
}

// Who goes on with others afterwards must still know that it is not to.
TEST(TaskGroup, IsBrokenOffWithItsCallerWhoStaysCancelled) {
  boost::asio::io_context loop(1);
  int cancelled = 0;
  int undone = 0;
  bool is_so_after = false;
  const auto whole = run_after_cancellation<bool>(loop, [&]() -> awaitable<result<bool>> {
    detail::task_group group(loop.get_executor());
    for (int i = 0; i < 3; ++i) group.spawn(wait_and_undo(cancelled, undone));
    auto draining = group.drain(false);
    const bool all = co_await std::move(draining);
    is_so_after = co_await was_cancelled();
    co_return all;
  });
  ASSERT_TRUE(whole) << whole.error().to_string();
  EXPECT_FALSE(*whole);
  EXPECT_EQ(cancelled, 3);
  EXPECT_EQ(undone, 3);
  EXPECT_TRUE(is_so_after);
}

}  // namespace
}  // namespace berth::test
