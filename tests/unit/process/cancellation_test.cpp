// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace berth {
namespace {

using boost::asio::awaitable;

awaitable<result<void>> wait_and_undo(std::vector<const char*>& steps) {
  const seconds long_pause(60);
  if (co_await pause_for(long_pause)) co_return result<void>();
  steps.push_back("cancelled");
  const milliseconds moment(1);
  if (!co_await was_cancelled()) steps.push_back("not marked");
  // What undoes goes on, and is awaited, past the cancellation.
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  if (co_await pause_for(moment)) steps.push_back("undone");
  co_return make_error(errc::cancelled, "test", "cancelled");
}

TEST(Cancellation, ReachesTheCoroutineAsAValueAndLetsItUndo) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  std::vector<const char*> steps;
  std::optional<errc> code;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, cancellation_as_error(wait_and_undo(steps)),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<void> r) {
                          thrown = e;
                          if (!e) code = r ? errc::ok : r.error().code;
                        }));
  boost::asio::post(loop, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  loop.run();
  EXPECT_FALSE(thrown);
  EXPECT_EQ(code, errc::cancelled);
  EXPECT_EQ(steps, (std::vector<const char*>{"cancelled", "undone"}));
}

TEST(Cancellation, IsNotSeenWhereThereWasNone) {
  EXPECT_FALSE(test::run(was_cancelled()));
  EXPECT_TRUE(test::run(pause_for(milliseconds(1))));
}

TEST(Cancellation, ThrowingIsAsItWasAfterwards) {
  const auto work = []() -> awaitable<bool> {
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    const auto inner = []() -> awaitable<result<bool>> {
      const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
      co_return throws;
    };
    auto asked = inner();
    auto during = co_await cancellation_as_error(std::move(asked));
    const bool after = co_await boost::asio::this_coro::throw_if_cancelled();
    co_return !*during && after;
  };
  EXPECT_TRUE(test::run(work()));
}

awaitable<result<int>> answer_after(duration d, int answer) {
  const bool slept = co_await pause_for(d);
  if (!slept) co_return make_error(errc::cancelled, "test", "cancelled");
  if (answer < 0) throw std::runtime_error("thrown");
  co_return answer;
}

TEST(UntilDeadline, GivesWhatCameInTime) {
  const auto in_time = test::run(until_deadline(answer_after(milliseconds(1), 7), deadline_after(seconds(60))));
  ASSERT_TRUE(in_time);
  EXPECT_EQ(*in_time, 7);
  const auto without = test::run(until_deadline(answer_after(milliseconds(1), 8), time_point::max()));
  ASSERT_TRUE(without);
  EXPECT_EQ(*without, 8);
  EXPECT_THROW(test::run(until_deadline(answer_after(milliseconds(1), -1), deadline_after(seconds(60)))),
               std::runtime_error);
}

TEST(UntilDeadline, CancelsWhatComesTooLate) {
  const auto late = test::run(until_deadline(answer_after(seconds(1000), 7), deadline_after(milliseconds(5))));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, errc::timeout);
}

TEST(UntilDeadline, PassesTheCallersCancellationOn) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  std::optional<errc> code;
  boost::asio::co_spawn(
      loop, cancellation_as_error(until_deadline(answer_after(seconds(1000), 7), deadline_after(seconds(1000)))),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<int> r) {
        if (!e) code = r ? errc::ok : r.error().code;
      }));
  boost::asio::post(loop, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  loop.run();
  EXPECT_EQ(code, errc::cancelled);
}

TEST(UntilDeadline, MayBeDestroyedWithItsLoop) {
  boost::asio::cancellation_signal signal;
  {
    boost::asio::io_context loop(1);
    boost::asio::co_spawn(loop, until_deadline(answer_after(seconds(1000), 7), deadline_after(seconds(1000))),
                          boost::asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr, result<int>) {}));
    loop.run_for(milliseconds(5));
  }
}

}  // namespace
}  // namespace berth
