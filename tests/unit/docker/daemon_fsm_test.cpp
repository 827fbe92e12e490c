// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/daemon_fsm.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace berth {
namespace {

namespace ev = daemon_event;
namespace act = daemon_action;

const time_point t0 = time_point(seconds(1000));
constexpr exit_status exit_one{1, 0};
constexpr exit_status by_kill{0, 9};

template <class A>
const A* find(const std::vector<daemon_action_any>& all) {
  for (const daemon_action_any& one : all)
    if (const A* found = std::get_if<A>(&one)) return found;
  return nullptr;
}

restart_policy on_failure(std::uint32_t limit = 3) {
  restart_policy p;
  p.what = restart_policy::kind::on_failure;
  p.limit = limit;
  p.first_pause = milliseconds(100);
  p.max_pause = milliseconds(300);
  p.settle = seconds(10);
  return p;
}

daemon_fsm up(restart_policy policy = {}) {
  daemon_fsm m(policy, seconds(30));
  m.on(ev::start{}, t0);
  m.on(ev::launched{12}, t0 + milliseconds(50));
  m.on(ev::probe_ready{3}, t0 + milliseconds(500));
  return m;
}

TEST(DaemonFsm, StartsProbesAndGetsReady) {
  daemon_fsm m;
  EXPECT_EQ(m.state(), daemon_state::disabled);
  auto out = m.on(ev::start{}, t0);
  ASSERT_TRUE(find<act::launch>(out));
  EXPECT_EQ(find<act::launch>(out)->ready_by, t0 + seconds(30));
  EXPECT_EQ(m.state(), daemon_state::starting);
  out = m.on(ev::launched{12}, t0 + milliseconds(40));
  ASSERT_TRUE(find<act::begin_probing>(out));
  EXPECT_EQ(find<act::begin_probing>(out)->ready_by, t0 + seconds(30)) << "the deadline is absolute";
  out = m.on(ev::probe_ready{3}, t0 + milliseconds(500));
  ASSERT_TRUE(find<act::ready>(out));
  EXPECT_EQ(find<act::ready>(out)->retry_count, 2u) << "the probes before the one that was answered";
  EXPECT_EQ(m.state(), daemon_state::ready);
  EXPECT_EQ(m.pid(), 12);
  EXPECT_EQ(m.ready_after(), milliseconds(500));
}

TEST(DaemonFsm, StartingTwiceStartsOnce) {
  daemon_fsm m = up();
  EXPECT_TRUE(m.on(ev::start{}, t0 + seconds(1)).empty());
  EXPECT_EQ(m.state(), daemon_state::ready);
}

TEST(DaemonFsm, AMissingDockerdIsAStateOfItsOwn) {
  daemon_fsm m(on_failure());
  m.on(ev::start{}, t0);
  auto out = m.on(ev::missing{}, t0 + milliseconds(30));
  EXPECT_EQ(m.state(), daemon_state::not_present);
  ASSERT_TRUE(m.failure());
  EXPECT_EQ(m.failure()->phase, "check");
  EXPECT_EQ(m.failure()->to_error().code, errc::daemon_not_present);
  EXPECT_FALSE(find<act::restart_after>(out)) << "no restart can mend that";
  EXPECT_TRUE(m.on(ev::exited{exit_status{127, 0}, 0, {}, {}}, t0 + milliseconds(31)).empty())
      << "its exit is no second failure";
}

TEST(DaemonFsm, WhatARestartCannotMendIsNotTriedAgain) {
  for (const bool permanent : {false, true}) {
    daemon_fsm m(on_failure());
    m.on(ev::start{}, t0);
    m.on(ev::launched{12}, t0 + milliseconds(30));
    auto out = m.on(ev::exited{exit_one, 1, {}, {}, permanent}, t0 + milliseconds(500));
    EXPECT_EQ(find<act::restart_after>(out) == nullptr, permanent);
    EXPECT_EQ(m.state(), permanent ? daemon_state::failed : daemon_state::starting);
  }
}

TEST(DaemonFsm, AFailedPreparationOrStartIsSaid) {
  daemon_fsm m;
  m.on(ev::start{}, t0);
  m.on(ev::prepare_failed{"cannot make /var/run"}, t0);
  EXPECT_EQ(m.state(), daemon_state::failed);
  EXPECT_EQ(m.failure()->phase, "prepare");
  EXPECT_NE(m.failure()->to_error().message.find("cannot make /var/run"), std::string::npos);
  m.on(ev::start{}, t0);
  EXPECT_EQ(m.state(), daemon_state::starting) << "it can be tried again";
  EXPECT_FALSE(m.failure());
  m.on(ev::start_failed{make_error(errc::state, "test", "no sandbox")}, t0);
  EXPECT_EQ(m.failure()->phase, "start");
}

TEST(DaemonFsm, WhatTheExecutorSaidIsKept) {
  error why = make_error(errc::sandbox_not_running, "sandbox", "the sandbox does not run", "box", "berth rm box");
  why.detail = "its last words";
  why.sys_errno = ESRCH;
  daemon_fsm m;
  m.on(ev::start{}, t0);
  m.on(ev::start_failed{why}, t0);
  const error e = m.failure()->to_error();
  EXPECT_EQ(e.code, errc::sandbox_not_running);
  EXPECT_EQ(e.sys_errno, ESRCH);
  EXPECT_EQ(e.path, "box");
  EXPECT_EQ(e.hint, "berth rm box");
  EXPECT_EQ(e.detail, "its last words");
  EXPECT_NE(e.message.find("dockerd could not be started: the sandbox does not run, phase start"), std::string::npos)
      << e.message;

  daemon_fsm lost = up();
  lost.on(ev::exited{{}, 0, {}, why}, t0 + seconds(1));
  EXPECT_EQ(lost.state(), daemon_state::failed);
  EXPECT_EQ(lost.failure()->to_error().code, errc::sandbox_not_running);
  EXPECT_EQ(lost.failure()->to_error().hint, "berth rm box");
}

TEST(DaemonFsm, ACrashAtStartFailsAtOnce) {
  daemon_fsm m;
  m.on(ev::start{}, t0);
  m.on(ev::launched{12}, t0);
  auto out = m.on(ev::exited{exit_one, 7, "connection refused", {}}, t0 + milliseconds(200));
  EXPECT_TRUE(find<act::end_probing>(out));
  EXPECT_EQ(m.state(), daemon_state::failed);
  EXPECT_EQ(m.failure()->phase, "wait");
  EXPECT_EQ(m.failure()->exited, exit_one);
  EXPECT_EQ(m.failure()->attempts, 7u);
  EXPECT_EQ(m.failure()->elapsed, milliseconds(200));
  const error e = m.failure()->to_error();
  EXPECT_EQ(e.code, errc::daemon_failed);
  EXPECT_NE(e.message.find("exit code 1"), std::string::npos) << e.message;
  EXPECT_NE(e.detail.find("connection refused"), std::string::npos);
}

TEST(DaemonFsm, NotReadyInTimeKillsAndFailsOnceItIsGone) {
  daemon_fsm m(on_failure());
  m.on(ev::start{}, t0);
  m.on(ev::launched{12}, t0);
  auto out = m.on(ev::probe_gave_up{40, "no such file"}, t0 + seconds(30));
  EXPECT_TRUE(find<act::kill>(out));
  EXPECT_EQ(m.state(), daemon_state::starting) << "not before dockerd is gone";
  m.on(ev::exited{by_kill, 40, {}, {}}, t0 + seconds(31));
  EXPECT_EQ(m.state(), daemon_state::failed);
  EXPECT_EQ(m.failure()->to_error().code, errc::daemon_not_ready);
  EXPECT_FALSE(m.failure()->exited) << "that we killed it is not why it failed";
  EXPECT_EQ(m.failure()->attempts, 40u);
}

TEST(DaemonFsm, KilledWhileReadyWithoutAPolicy) {
  daemon_fsm m = up();
  auto out = m.on(ev::exited{by_kill, 0, {}, {}}, t0 + seconds(60));
  EXPECT_EQ(m.state(), daemon_state::failed);
  EXPECT_EQ(m.failure()->phase, "run");
  EXPECT_EQ(m.failure()->exited, by_kill);
  EXPECT_TRUE(find<act::fail>(out));
  EXPECT_EQ(m.pid(), 0);
}

TEST(DaemonFsm, KilledWhileReadyRestartsUnderThePolicy) {
  daemon_fsm m = up(on_failure());
  const time_point died = t0 + seconds(60);
  auto out = m.on(ev::exited{by_kill, 0, {}, {}}, died);
  ASSERT_TRUE(find<act::restart_after>(out));
  EXPECT_EQ(find<act::restart_after>(out)->at, died + milliseconds(100));
  EXPECT_EQ(m.state(), daemon_state::starting);
  EXPECT_TRUE(m.failure()) << "why it restarts can be read meanwhile";
  out = m.on(ev::pause_over{}, died + milliseconds(100));
  ASSERT_TRUE(find<act::launch>(out));
  EXPECT_EQ(find<act::launch>(out)->ready_by, died + milliseconds(100) + seconds(30)) << "a new deadline";
  m.on(ev::launched{99}, died + milliseconds(150));
  m.on(ev::probe_ready{1}, died + milliseconds(600));
  EXPECT_EQ(m.state(), daemon_state::ready);
  EXPECT_EQ(m.restarts(), 1u);
  EXPECT_EQ(m.pid(), 99);
  EXPECT_FALSE(m.failure());
  EXPECT_EQ(m.ready_after(), milliseconds(500));
}

TEST(DaemonFsm, PausesDoubleUpToAMaximumAndTheLimitEndsIt) {
  daemon_fsm m = up(on_failure(3));
  time_point now = t0 + seconds(1);
  std::vector<duration> pauses;
  for (int i = 0; i < 3; ++i) {
    auto out = m.on(ev::exited{exit_one, 0, {}, {}}, now);
    const auto* restart = find<act::restart_after>(out);
    ASSERT_TRUE(restart) << i;
    pauses.push_back(restart->pause);
    now = restart->at;
    m.on(ev::pause_over{}, now);
    m.on(ev::launched{20 + i}, now);
    m.on(ev::probe_ready{1}, now += milliseconds(100));
  }
  EXPECT_EQ(pauses, (std::vector<duration>{milliseconds(100), milliseconds(200), milliseconds(300)}));
  m.on(ev::exited{exit_one, 0, {}, {}}, now);
  EXPECT_EQ(m.state(), daemon_state::failed) << "three in a row, none settled";
}

TEST(DaemonFsm, ADaemonThatSettledStartsCountingAnew) {
  daemon_fsm m = up(on_failure(1));
  m.on(ev::exited{exit_one, 0, {}, {}}, t0 + seconds(1));
  m.on(ev::pause_over{}, t0 + seconds(2));
  m.on(ev::launched{13}, t0 + seconds(2));
  m.on(ev::probe_ready{1}, t0 + seconds(3));
  auto out = m.on(ev::exited{exit_one, 0, {}, {}}, t0 + seconds(13));
  EXPECT_TRUE(find<act::restart_after>(out));
}

TEST(DaemonFsm, CrashesWithinAStartKeepItsDeadline) {
  daemon_fsm m(on_failure(100), milliseconds(450));
  m.on(ev::start{}, t0);
  m.on(ev::launched{1}, t0);
  auto out = m.on(ev::exited{exit_one, 0, {}, {}}, t0 + milliseconds(200));
  ASSERT_TRUE(find<act::restart_after>(out));
  out = m.on(ev::pause_over{}, t0 + milliseconds(300));
  ASSERT_TRUE(find<act::launch>(out));
  EXPECT_EQ(find<act::launch>(out)->ready_by, t0 + milliseconds(450));
  m.on(ev::launched{2}, t0 + milliseconds(300));
  m.on(ev::exited{exit_one, 0, {}, {}}, t0 + milliseconds(400));
  EXPECT_EQ(m.state(), daemon_state::failed) << "the next pause would pass the deadline";
}

TEST(DaemonFsm, ADeadlineThatPassesAfterARestartTellsWhyDockerdEnded) {
  daemon_fsm m(on_failure(100), milliseconds(450));
  m.on(ev::start{}, t0);
  m.on(ev::launched{1}, t0);
  m.on(ev::exited{exit_one, 3, "no socket", {}}, t0 + milliseconds(200));
  ASSERT_TRUE(m.failure());
  m.failure()->tail = "unknown flag: --nope";
  m.on(ev::pause_over{}, t0 + milliseconds(300));
  m.on(ev::launched{2}, t0 + milliseconds(300));
  auto out = m.on(ev::probe_gave_up{9, "no socket"}, t0 + milliseconds(450));
  EXPECT_TRUE(find<act::kill>(out));
  m.on(ev::exited{by_kill, 0, {}, {}}, t0 + milliseconds(460));
  EXPECT_EQ(m.state(), daemon_state::failed);
  ASSERT_TRUE(m.failure());
  EXPECT_EQ(m.failure()->exited, exit_one);
  const error e = m.failure()->to_error();
  EXPECT_EQ(e.code, errc::daemon_failed);
  EXPECT_NE(e.message.find("restarted 1 time"), std::string::npos) << e.message;
  EXPECT_NE(e.detail.find("unknown flag: --nope"), std::string::npos) << e.detail;
}

TEST(DaemonFsm, ADaemonThatTheExecutorLostIsNotRestarted) {
  daemon_fsm m = up(on_failure());
  auto out = m.on(ev::exited{std::nullopt, 0, {}, make_error(errc::sandbox_not_running, "test", "the sandbox is gone")},
                  t0 + seconds(1));
  EXPECT_FALSE(find<act::restart_after>(out));
  EXPECT_EQ(m.state(), daemon_state::failed);
  EXPECT_NE(m.failure()->to_error().message.find("the sandbox is gone"), std::string::npos);
}

TEST(DaemonFsm, StopsGracefullyFromEachStep) {
  daemon_fsm ready = up();
  auto out = ready.on(ev::stop{}, t0 + seconds(2));
  EXPECT_TRUE(find<act::shut_down>(out));
  EXPECT_TRUE(ready.on(ev::stop{}, t0 + seconds(2)).empty()) << "once";
  ready.on(ev::exited{exit_status{0, 0}, 0, {}, {}}, t0 + seconds(3));
  EXPECT_EQ(ready.state(), daemon_state::stopped);
  EXPECT_FALSE(ready.failure());

  daemon_fsm waiting;
  waiting.on(ev::start{}, t0);
  waiting.on(ev::launched{1}, t0);
  out = waiting.on(ev::stop{}, t0);
  EXPECT_TRUE(find<act::end_probing>(out));
  EXPECT_TRUE(find<act::shut_down>(out));
  waiting.on(ev::exited{by_kill, 0, {}, {}}, t0);
  EXPECT_EQ(waiting.state(), daemon_state::stopped);

  daemon_fsm launching;
  launching.on(ev::start{}, t0);
  launching.on(ev::stop{}, t0);
  EXPECT_TRUE(launching.on(ev::launched{1}, t0).empty()) << "no probing once it is to stop";
  launching.on(ev::exited{by_kill, 0, {}, {}}, t0);
  EXPECT_EQ(launching.state(), daemon_state::stopped);

  daemon_fsm never_came;
  never_came.on(ev::start{}, t0);
  never_came.on(ev::stop{}, t0);
  never_came.on(ev::start_failed{make_error(errc::state, "test", "gone")}, t0);
  EXPECT_EQ(never_came.state(), daemon_state::stopped);

  daemon_fsm pausing = up(on_failure());
  pausing.on(ev::exited{exit_one, 0, {}, {}}, t0 + seconds(1));
  out = pausing.on(ev::stop{}, t0 + seconds(1));
  EXPECT_TRUE(find<act::cancel_restart>(out));
  EXPECT_EQ(pausing.state(), daemon_state::stopped);
  EXPECT_TRUE(pausing.on(ev::pause_over{}, t0 + seconds(2)).empty());

  daemon_fsm idle;
  EXPECT_TRUE(idle.on(ev::stop{}, t0).empty());
  EXPECT_EQ(idle.state(), daemon_state::disabled);
}

TEST(DaemonFsm, LateEventsOfAnEarlierRunChangeNothing) {
  daemon_fsm m = up();
  m.on(ev::stop{}, t0 + seconds(1));
  m.on(ev::exited{exit_status{0, 0}, 0, {}, {}}, t0 + seconds(2));
  EXPECT_TRUE(m.on(ev::probe_ready{9}, t0 + seconds(3)).empty());
  EXPECT_TRUE(m.on(ev::probe_gave_up{9, "x"}, t0 + seconds(3)).empty());
  EXPECT_TRUE(m.on(ev::exited{exit_one, 0, {}, {}}, t0 + seconds(3)).empty());
  EXPECT_EQ(m.state(), daemon_state::stopped);
}

// Every sequence of four events from a fresh machine: no event may leave it without a way on, and every start must come to
// an end when the process does.
TEST(DaemonFsm, NoSequenceOfEventsStrandsIt) {
  const std::vector<daemon_event_any> all = {
      ev::start{},      ev::missing{},      ev::prepare_failed{"p"},   ev::start_failed{},
      ev::launched{5},  ev::probe_ready{1}, ev::probe_gave_up{1, "x"}, ev::exited{exit_one, 1, {}, {}},
      ev::pause_over{}, ev::stop{}};
  // A command ends in one of these ways; the second where it was given up before the executor had begun it.
  const std::vector<daemon_event_any> ends = {ev::exited{by_kill, 0, {}, {}}, ev::start_failed{}};
  for (const auto& policy : {restart_policy{}, on_failure()}) {
    for (const auto& end : ends) {
      for (std::size_t n = 0; n < 10000; ++n) {
        daemon_fsm m(policy);
        time_point now = t0;
        for (std::size_t i = 0, rest = n; i < 4; ++i, rest /= 10) m.on(all[rest % 10], now += milliseconds(10));
        m.on(ev::stop{}, now += milliseconds(10));
        m.on(end, now += milliseconds(10));
        ASSERT_NE(m.state(), daemon_state::starting) << n;
        ASSERT_NE(m.state(), daemon_state::ready) << n;
        ASSERT_TRUE(m.idle() && !m.ending()) << n;
        m.on(ev::start{}, now += milliseconds(10));
        ASSERT_EQ(m.state(), daemon_state::starting) << n;
      }
    }
  }
}

TEST(DaemonState, Names) {
  EXPECT_EQ(daemon_state_name(daemon_state::not_present), "not_present");
  EXPECT_EQ(daemon_state_name(daemon_state::ready), "ready");
}

}  // namespace
}  // namespace berth
