// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <berth/process/cancellation.hpp>
#include <berth/process/grace.hpp>

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

// Else who pauses and tries again goes on trying, to a deadline that may be minutes away.
TEST(PauseFor, IsOverAtOnceForWhoWasCancelledBefore) {
  boost::asio::io_context loop(1);
  const auto paused = test::run_after_cancellation<bool>(loop, []() -> awaitable<result<bool>> {
    auto pausing = pause_for(seconds(1000));
    const bool waited = co_await std::move(pausing);
    co_return waited;
  });
  ASSERT_TRUE(paused) << paused.error().to_string();
  EXPECT_FALSE(*paused);
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

TEST(UntilDeadline, BeginsNothingForWhoWasCancelledBefore) {
  boost::asio::io_context loop(1);
  bool began = false;
  const auto work = [&began]() -> awaitable<result<int>> {
    began = true;
    auto answering = answer_after(seconds(1000), 7);
    co_return co_await std::move(answering);
  };
  const auto came = test::run_after_cancellation<int>(loop, [&work]() -> awaitable<result<int>> {
    auto waiting = until_deadline(work(), deadline_after(seconds(1000)));
    co_return co_await std::move(waiting);
  });
  ASSERT_FALSE(came);
  EXPECT_EQ(came.error().code, errc::cancelled) << came.error().to_string();
  EXPECT_FALSE(began);
}

// By what it calls, before it has waited once.
TEST(UntilDeadline, WhatIsCancelledInItsFirstTurnEndsAsAnythingElse) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  std::optional<errc> code;
  const auto cancelled_by_itself = [&signal]() -> awaitable<result<int>> {
    signal.emit(boost::asio::cancellation_type::terminal);
    co_return make_error(errc::cancelled, "test", "cancelled");
  };
  const auto work = [&]() -> awaitable<result<int>> {
    co_await boost::asio::post(loop, boost::asio::use_awaitable);
    auto waiting = until_deadline(cancelled_by_itself(), deadline_after(seconds(1000)));
    co_return co_await std::move(waiting);
  };
  boost::asio::co_spawn(loop, cancellation_as_error(work()),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<int> r) {
                          if (!e) code = r ? errc::ok : r.error().code;
                        }));
  EXPECT_NO_THROW(loop.run_for(std::chrono::seconds(20)));
  EXPECT_EQ(code, errc::cancelled);
}

TEST(PastCancellation, GoesToItsEndAndLeavesTheCallerCancelled) {
  boost::asio::io_context loop(1);
  bool was_so_inside = true;
  bool is_so_after = false;
  const auto undo = [&]() -> awaitable<result<int>> {
    was_so_inside = co_await was_cancelled();
    auto answering = answer_after(milliseconds(5), 7);
    co_return co_await std::move(answering);
  };
  const auto came = test::run_after_cancellation<int>(loop, [&]() -> awaitable<result<int>> {
    auto undoing = past_cancellation(undo());
    auto undone = co_await std::move(undoing);
    is_so_after = co_await was_cancelled();
    co_return undone;
  });
  ASSERT_TRUE(came) << came.error().to_string();
  EXPECT_EQ(*came, 7);
  EXPECT_FALSE(was_so_inside);
  EXPECT_TRUE(is_so_after);
}

TEST(PastCancellation, ACancellationMeanwhileIsTheCallersAlone) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  std::optional<errc> code;
  const auto work = []() -> awaitable<result<int>> {
    auto undoing = past_cancellation(answer_after(milliseconds(20), 7));
    auto undone = co_await std::move(undoing);
    if (!undone) co_return make_error(errc::internal, "test", "it was cut short");
    auto going_on = answer_after(seconds(1000), 8);
    co_return co_await std::move(going_on);
  };
  boost::asio::co_spawn(loop, cancellation_as_error(work()),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<int> r) {
                          if (!e) code = r ? errc::ok : r.error().code;
                        }));
  boost::asio::post(loop, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  loop.run_for(std::chrono::seconds(20));
  EXPECT_EQ(code, errc::cancelled);
}

TEST(PastCancellation, PassesOnWhatIsThrown) {
  EXPECT_THROW(test::run(past_cancellation(answer_after(milliseconds(1), -1))), std::runtime_error);
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

result<int> cancelled_during(awaitable<result<int>> work) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  result<int> outcome = make_error(errc::timeout, "test", "it waits still");
  boost::asio::co_spawn(loop, cancellation_as_error(std::move(work)),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<int> r) {
                          if (!e) outcome = std::move(r);
                        }));
  boost::asio::post(loop, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  loop.run_for(std::chrono::seconds(20));
  return outcome;
}

TEST(WithGrace, WhatTakesAMomentComesToItsEnd) {
  const auto ended = cancelled_during(with_grace(answer_after(milliseconds(20), 7), seconds(1000)));
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_EQ(*ended, 7);
}

TEST(WithGrace, WhatTakesLongerIsCancelledThen) {
  const auto cut = cancelled_during(with_grace(answer_after(seconds(1000), 7), milliseconds(20)));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, errc::cancelled) << cut.error().to_string();
}

TEST(WithGrace, IsNotBegunForWhoWasCancelledBefore) {
  boost::asio::io_context loop(1);
  const auto came = test::run_after_cancellation<int>(
      loop, [] { return with_grace(answer_after(milliseconds(1), 7), seconds(1000)); });
  ASSERT_FALSE(came);
  EXPECT_EQ(came.error().code, errc::cancelled) << came.error().to_string();
}

TEST(WithGrace, PassesOnWhatIsThrown) {
  EXPECT_THROW(test::run(with_grace(answer_after(milliseconds(1), -1), seconds(1))), std::runtime_error);
}

}  // namespace
}  // namespace berth
