// SPDX-License-Identifier: Apache-2.0
#include <berth/readiness/poll_fsm.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

using step = poll_action::kind;

const time_point t0{seconds(1000)};

probe_outcome not_yet(std::string why, bool connected = false) {
  return {probe_outcome::kind::not_yet, connected, make_error(errc::again, "readiness", std::move(why))};
}

probe_schedule steady() { return {milliseconds(100), milliseconds(100), 1.0, 0.0, seconds(2)}; }

TEST(PollFsm, AsksAtOnceAndEndsWhenReady) {
  poll_fsm m(steady(), t0 + seconds(10), 1);
  auto a = m.start(t0);
  EXPECT_EQ(a.what, step::ask);
  EXPECT_EQ(a.until, t0 + seconds(2));  // the cap of one attempt
  a = m.answered(t0 + milliseconds(3), {probe_outcome::kind::ready, true, {}});
  EXPECT_EQ(a.what, step::finish);
  const auto r = m.take_result();
  EXPECT_TRUE(r.ready());
  EXPECT_EQ(r.attempts, 1U);
  EXPECT_TRUE(r.connected);
  EXPECT_EQ(r.elapsed, milliseconds(3));
}

TEST(PollFsm, SleepsBetweenAttemptsAndKeepsTheLastReason) {
  poll_fsm m(steady(), t0 + seconds(10), 1);
  m.start(t0);
  auto a = m.answered(t0 + milliseconds(5), not_yet("first"));
  EXPECT_EQ(a.what, step::sleep);
  EXPECT_EQ(a.until, t0 + milliseconds(105));
  a = m.woke(a.until);
  EXPECT_EQ(a.what, step::ask);
  m.answered(t0 + milliseconds(110), not_yet("second", true));
  a = m.cancelled(t0 + milliseconds(120));
  EXPECT_EQ(a.what, step::finish);
  const auto r = m.take_result();
  EXPECT_EQ(r.status, errc::cancelled);
  EXPECT_EQ(r.attempts, 2U);
  EXPECT_EQ(r.last.message, "second");
  EXPECT_TRUE(r.connected);
}

TEST(PollFsm, TheDeadlineCapsAttemptsAndSleep) {
  poll_fsm m(steady(), t0 + milliseconds(150), 1);
  EXPECT_EQ(m.start(t0).until, t0 + milliseconds(150));
  auto a = m.answered(t0 + milliseconds(90), not_yet("x"));
  EXPECT_EQ(a.what, step::sleep);
  EXPECT_EQ(a.until, t0 + milliseconds(150));
  a = m.woke(t0 + milliseconds(150));
  EXPECT_EQ(a.what, step::finish);
  const auto r = m.take_result();
  EXPECT_EQ(r.status, errc::timeout);
  EXPECT_EQ(r.attempts, 1U);
  EXPECT_EQ(r.last.message, "x");
}

TEST(PollFsm, AnAnswerAfterTheDeadlineCountsOnlyWhenItIsReady) {
  poll_fsm late(steady(), t0 + seconds(1), 1);
  late.start(t0);
  EXPECT_EQ(late.answered(t0 + seconds(2), not_yet("x")).what, step::finish);
  EXPECT_EQ(late.take_result().status, errc::timeout);
  poll_fsm ready(steady(), t0 + seconds(1), 1);
  ready.start(t0);
  ready.answered(t0 + seconds(2), {probe_outcome::kind::ready, true, {}});
  EXPECT_TRUE(ready.take_result().ready());
}

TEST(PollFsm, ADeadlineThatHasPassedAsksNothing) {
  poll_fsm m(steady(), t0, 1);
  EXPECT_EQ(m.start(t0).what, step::finish);
  const auto r = m.take_result();
  EXPECT_EQ(r.status, errc::timeout);
  EXPECT_EQ(r.attempts, 0U);
  EXPECT_FALSE(r.last.message.empty());
}

TEST(PollFsm, NoDeadlineAtAll) {
  poll_fsm m(steady(), time_point::max(), 1);
  EXPECT_EQ(m.start(t0).until, t0 + seconds(2));
  EXPECT_EQ(m.answered(t0, not_yet("x")).until, t0 + milliseconds(100));
}

TEST(PollFsm, FatalEndsAtOnce) {
  poll_fsm m(steady(), t0 + seconds(10), 1);
  m.start(t0);
  m.answered(t0, {probe_outcome::kind::fatal, false, errno_error(EMFILE, "readiness", "no descriptor")});
  const auto r = m.take_result();
  EXPECT_EQ(r.status, errc::probe_failed);
  EXPECT_EQ(r.last.sys_errno, EMFILE);
}

TEST(PollFsm, TheEndOfTheProcessEndsIt) {
  poll_fsm m(steady(), t0 + seconds(10), 1);
  m.start(t0);
  m.answered(t0, not_yet("x"));
  EXPECT_EQ(m.exited(t0 + milliseconds(7), {3, 0}).what, step::finish);
  const auto r = m.take_result();
  EXPECT_EQ(r.status, errc::process_exited);
  EXPECT_EQ(r.exited, (exit_status{3, 0}));
  EXPECT_EQ(r.elapsed, milliseconds(7));
}

TEST(PollFsm, AProcessThatHadEndedBeforeTheStart) {
  poll_fsm m(steady(), t0 + seconds(10), 1);
  EXPECT_EQ(m.exited(t0, {0, 9}).what, step::finish);
  const auto r = m.take_result();
  EXPECT_EQ(r.status, errc::process_exited);
  EXPECT_EQ(r.attempts, 0U);
  EXPECT_EQ(r.elapsed, duration::zero());
}

TEST(PollFsm, TwoPollsDriftApart) {
  probe_schedule s{milliseconds(100), milliseconds(100), 1.0, 0.5, seconds(2)};
  poll_fsm a(s, time_point::max(), 1);
  poll_fsm b(s, time_point::max(), 2);
  a.start(t0);
  b.start(t0);
  const auto first = a.answered(t0, not_yet("x")).until;
  EXPECT_NE(first, b.answered(t0, not_yet("x")).until);
  a.woke(first);
  EXPECT_NE(first - t0, a.answered(t0, not_yet("x")).until - t0);
}

TEST(Schedule, GrowsToItsLimit) {
  probe_schedule s{milliseconds(10), milliseconds(100), 2.0, 0.0, seconds(1)};
  EXPECT_EQ(s.pause(0, 0), milliseconds(10));
  EXPECT_EQ(s.pause(1, 0), milliseconds(20));
  EXPECT_EQ(s.pause(3, 0), milliseconds(80));
  EXPECT_EQ(s.pause(4, 0), milliseconds(100));
  EXPECT_EQ(s.pause(4000000000U, 0), milliseconds(100));
}

TEST(Schedule, JitterOnlyShortens) {
  probe_schedule s{milliseconds(100), milliseconds(100), 1.0, 0.25, seconds(1)};
  EXPECT_EQ(s.pause(0, 0), milliseconds(100));
  const auto least = s.pause(0, ~std::uint64_t{0});
  EXPECT_GE(least, milliseconds(75));
  EXPECT_LT(least, milliseconds(76));
}

TEST(Schedule, NeverTurnsIntoABusyWait) {
  probe_schedule s{duration::zero(), duration::zero(), 0.0, 1.0, seconds(1)};
  EXPECT_EQ(s.pause(0, 0), milliseconds(1));
  s.first = seconds(-1);
  EXPECT_EQ(s.pause(5, 7), milliseconds(1));
}

}  // namespace
}  // namespace berth
