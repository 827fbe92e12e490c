// SPDX-License-Identifier: Apache-2.0
// What an embedder's executor can do to the supervisor: not answer, throw, be slow. Scripted, since no real sandbox does
// these things on demand; that it works on real ones is shown by the integration tests.
#include <berth/docker/supervisor.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace berth {
namespace {

using boost::asio::awaitable;

// Waits until something is so, or the caller is cancelled, also between two pauses.
awaitable<bool> until(std::function<bool()> done) {
  while (!done()) {
    const milliseconds moment(1);
    const bool slept = co_await pause_for(moment);
    const bool cancelled = co_await was_cancelled();
    if (!slept || cancelled) co_return false;
  }
  co_return true;
}

struct script {
  enum class how { well, never, throws };
  how start = how::well;  // dockerd's command
  how wait = how::well;
  how signal = how::well;
  how probe_start = how::well;
  how other_start = how::well;  // `docker stop`, and what clears away
  bool dies_on_term = true;
  duration leftovers_take{};
  std::function<void(const std::string& nonce, const data_handler& line)> prints = {};  // as it starts
  data_handler on_line = {};                                                            // of the last dockerd
  std::vector<std::string> seen;
};

struct life {
  std::optional<exit_status> status;
};

class scripted_command final : public running_command {
 public:
  scripted_command(std::shared_ptr<script> s, std::shared_ptr<life> l, bool is_daemon)
      : script_(std::move(s)), life_(std::move(l)), is_daemon_(is_daemon) {}
  ~scripted_command() override {
    if (!life_->status) life_->status = exit_status{0, SIGKILL};
  }
  awaitable<result<exit_status>> wait(time_point deadline) override {
    return cancellation_as_error(waiting(script_, life_, is_daemon_, deadline));
  }
  awaitable<result<void>> signal(int signo) override {
    return cancellation_as_error(signalling(script_, life_, is_daemon_, signo));
  }
  awaitable<result<void>> write(std::string_view) override { co_return result<void>(); }
  void close_stdin() override {}
  std::string output(output_stream) const override { return {}; }
  std::optional<exit_status> status() const override { return life_->status; }
  pid_t pid() const override { return 5; }

 private:
  static awaitable<result<exit_status>> waiting(std::shared_ptr<script> s, std::shared_ptr<life> l, bool is_daemon,
                                                time_point deadline) {
    if (is_daemon && s->wait == script::how::throws) throw std::runtime_error("wait threw");
    const auto done = [l, deadline] { return l->status || clock::now() >= deadline; };
    if (!co_await until(done)) co_return make_error(errc::cancelled, "test", "cancelled");
    if (!l->status) co_return make_error(errc::timeout, "test", "late");
    co_return *l->status;
  }
  static awaitable<result<void>> signalling(std::shared_ptr<script> s, std::shared_ptr<life> l, bool is_daemon,
                                            int signo) {
    if (is_daemon) s->seen.push_back(signo == SIGTERM ? "TERM" : "KILL");
    if (is_daemon && s->signal == script::how::throws) throw std::runtime_error("signal threw");
    if (is_daemon && s->signal == script::how::never) {
      const auto never = [] { return false; };
      (void)co_await until(never);
      co_return make_error(errc::cancelled, "test", "cancelled");
    }
    if (signo == SIGKILL || s->dies_on_term) l->status = exit_status{0, signo};
    co_return result<void>();
  }

  std::shared_ptr<script> script_;
  std::shared_ptr<life> life_;
  bool is_daemon_;
};

class scripted_executor final : public executor {
 public:
  std::shared_ptr<script> plays = std::make_shared<script>();
  std::shared_ptr<life> daemon;  // the last dockerd

  awaitable<result<std::unique_ptr<running_command>>> start(command what, stdio_options io) override {
    const bool is_daemon = static_cast<bool>(io.on_line);
    const auto s = plays;
    s->seen.push_back(is_daemon                                                  ? "dockerd"
                      : what.argv[2].find("containerd.pid") != std::string::npos ? "leftovers"
                      : what.argv.size() > 3 && what.argv[3] == "berth-stop"     ? "docker stop"
                                                                                 : "probe");
    const std::string kind = s->seen.back();
    const auto how = is_daemon ? s->start : kind == "probe" ? s->probe_start : s->other_start;
    if (how == script::how::throws) throw std::runtime_error("start threw");
    if (how == script::how::never) {
      const auto never = [] { return false; };
      auto waiting = until(never);
      (void)co_await std::move(waiting);
      co_return make_error(errc::cancelled, "test", "cancelled");
    }
    auto made = std::make_shared<life>();
    if (is_daemon) {
      daemon = made;
      std::string nonce;
      for (const std::string& entry : what.env)
        if (entry.starts_with("BERTH_START_NONCE=")) nonce = entry.substr(entry.find('=') + 1);
      io.on_line(output_stream::out, "berth:" + nonce + ":pid 7");
      if (s->prints) s->prints(nonce, io.on_line);
      io.on_line(output_stream::out, "berth:" + nonce + ":network");
      s->on_line = io.on_line;
    } else {
      if (kind == "leftovers" && s->leftovers_take > duration::zero()) {
        if (!co_await pause_for(s->leftovers_take)) co_return make_error(errc::cancelled, "test", "cancelled");
        s->seen.push_back("left nothing");
      }
      made->status = exit_status{0, 0};
    }
    std::unique_ptr<running_command> running = std::make_unique<scripted_command>(s, made, is_daemon);
    co_return running;
  }
};

class SupervisorFaults : public testing::Test {
 protected:
  SupervisorFaults() {
    options.ready_timeout = milliseconds(60);
    options.stop_containers_timeout = milliseconds(50);
    options.term_timeout = milliseconds(50);
    options.kill_timeout = milliseconds(50);
    options.log = [this](const log_event& e) { log += e.message + "\n"; };
  }
  /// Gets it ready, so that the start is over.
  void up() {
    options.ready_timeout = seconds(30);
    make();
    ASSERT_EQ(code(outcome(supervisor->start())), errc::ok);
  }
  void make() { supervisor.emplace(loop.get_executor(), where, options); }

  // Runs the loop until the call has its outcome; a minute is for ever.
  template <class T>
  T outcome(awaitable<T> call) {
    std::optional<T> got;
    boost::asio::co_spawn(loop, std::move(call), [&](std::exception_ptr e, T value) {
      if (e) std::rethrow_exception(e);
      got.emplace(std::move(value));
    });
    run_until([&] { return got.has_value(); });
    EXPECT_TRUE(got) << "it waits for ever";
    return got ? std::move(*got) : T(make_error(errc::internal, "test", "no outcome"));
  }
  void run_until(const std::function<bool()>& done) {
    const time_point end = deadline_after(seconds(60));
    while (!done() && clock::now() < end) {
      loop.restart();
      loop.run_one_for(milliseconds(20));
    }
  }
  errc code(const result<void>& r) { return r ? errc::ok : r.error().code; }

  boost::asio::io_context loop{1};
  scripted_executor where;
  supervisor_options options;
  std::string log;
  std::optional<daemon_supervisor> supervisor;
};

TEST_F(SupervisorFaults, WorksWhereNothingIsWrong) {
  options.ready_timeout = seconds(30);
  make();
  EXPECT_EQ(code(outcome(supervisor->start())), errc::ok);
  EXPECT_EQ(supervisor->status().pid, 7);
  EXPECT_EQ(code(outcome(supervisor->stop())), errc::ok);
  EXPECT_EQ(supervisor->status().state, daemon_state::stopped);
}

TEST_F(SupervisorFaults, AStartThatIsNotAnsweredEndsAtItsDeadlineAndLeavesItUsable) {
  where.plays->start = script::how::never;
  options.ready_timeout = seconds(2);
  make();
  EXPECT_EQ(code(outcome(supervisor->start())), errc::daemon_not_ready);
  EXPECT_EQ(code(outcome(supervisor->stop())), errc::ok);
  where.plays->start = script::how::well;
  EXPECT_EQ(code(outcome(supervisor->start())), errc::ok);
}

TEST_F(SupervisorFaults, AProbeThatIsNotAnsweredDoesNotOutliveTheDeadline) {
  where.plays->probe_start = script::how::never;
  make();
  EXPECT_EQ(code(outcome(supervisor->start())), errc::daemon_not_ready);
  EXPECT_EQ(supervisor->status().state, daemon_state::failed);
}

TEST_F(SupervisorFaults, AStopThatIsNotAnsweredEndsAll) {
  options.ready_timeout = seconds(30);
  make();
  ASSERT_EQ(code(outcome(supervisor->start())), errc::ok);
  where.plays->other_start = script::how::never;
  where.plays->signal = script::how::never;
  EXPECT_EQ(code(outcome(supervisor->stop())), errc::ok);
  EXPECT_EQ(supervisor->status().state, daemon_state::stopped);
}

TEST_F(SupervisorFaults, WhatTheExecutorThrowsIsAnError) {
  options.ready_timeout = seconds(30);
  where.plays->start = script::how::throws;
  make();
  auto r = outcome(supervisor->start());
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().to_string().find("start threw"), std::string::npos) << r.error().to_string();

  where.plays->start = script::how::well;
  where.plays->wait = script::how::throws;
  r = outcome(supervisor->start());
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().to_string().find("wait threw"), std::string::npos) << r.error().to_string();

  where.plays->wait = script::how::well;
  ASSERT_EQ(code(outcome(supervisor->start())), errc::ok);
  where.plays->signal = script::how::throws;
  EXPECT_EQ(code(outcome(supervisor->stop())), errc::ok);
}

TEST_F(SupervisorFaults, FailedIsToldOnceWhatWasLeftIsGone) {
  where.plays->leftovers_take = milliseconds(20);
  options.kill_timeout = seconds(5);
  where.plays->probe_start = script::how::throws;  // which ends the wait at once
  make();
  EXPECT_FALSE(outcome(supervisor->start()));
  ASSERT_FALSE(where.plays->seen.empty());
  EXPECT_EQ(where.plays->seen.back(), "left nothing") << "and then only is it told";
}

TEST_F(SupervisorFaults, CancellingOneWhoJoinedStopsNothing) {
  options.ready_timeout = seconds(30);
  where.plays->probe_start = script::how::never;
  make();
  std::optional<errc> first, second;
  boost::asio::cancellation_signal one, other;
  const auto keep = [this](std::optional<errc>& place) {
    return [this, &place](std::exception_ptr, result<void> r) { place = code(r); };
  };
  boost::asio::co_spawn(loop, supervisor->start(), boost::asio::bind_cancellation_slot(one.slot(), keep(first)));
  boost::asio::co_spawn(loop, supervisor->start(), boost::asio::bind_cancellation_slot(other.slot(), keep(second)));
  run_until([&] { return where.plays->seen.size() >= 2; });
  other.emit(boost::asio::cancellation_type::terminal);
  run_until([&] { return second.has_value(); });
  EXPECT_EQ(second, errc::cancelled);
  EXPECT_EQ(supervisor->status().state, daemon_state::starting) << "the other one wants it still";
  one.emit(boost::asio::cancellation_type::terminal);
  run_until([&] { return supervisor->status().state == daemon_state::stopped; });
  EXPECT_EQ(first, errc::cancelled);
  EXPECT_EQ(supervisor->status().state, daemon_state::stopped);
}

TEST_F(SupervisorFaults, AStartDuringAStopBeginsAnewWhenItIsOver) {
  options.ready_timeout = seconds(30);
  options.term_timeout = seconds(30);
  where.plays->dies_on_term = false;
  make();
  ASSERT_EQ(code(outcome(supervisor->start())), errc::ok);
  std::optional<errc> stopped, started, waited;
  boost::asio::co_spawn(loop, supervisor->stop(), [&](std::exception_ptr, result<void> r) { stopped = code(r); });
  run_until([&] { return where.plays->seen.back() == "TERM"; });
  boost::asio::co_spawn(loop, supervisor->wait_ready(time_point::max()),
                        [&](std::exception_ptr, result<void> r) { waited = code(r); });
  boost::asio::co_spawn(loop, supervisor->start(), [&](std::exception_ptr, result<void> r) { started = code(r); });
  loop.restart();
  loop.run_for(milliseconds(20));
  EXPECT_FALSE(started) << "ready is what it was, and not any more";
  EXPECT_FALSE(waited);
  where.daemon->status = exit_status{0, SIGTERM};
  run_until([&] { return started && stopped && waited; });
  EXPECT_EQ(stopped, errc::ok);
  EXPECT_EQ(started, errc::ok);
  EXPECT_EQ(supervisor->status().state, daemon_state::ready);
}

// Whoever called last has it: a start that waited for the end of a stop is not begun where another stop came after it.
TEST_F(SupervisorFaults, AStopAfterAStartThatWaitsIsTheLastWord) {
  options.ready_timeout = seconds(30);
  options.term_timeout = seconds(30);
  where.plays->dies_on_term = false;
  make();
  ASSERT_EQ(code(outcome(supervisor->start())), errc::ok);
  std::optional<errc> first, started, second;
  boost::asio::co_spawn(loop, supervisor->stop(), [&](std::exception_ptr, result<void> r) { first = code(r); });
  run_until([&] { return where.plays->seen.back() == "TERM"; });
  boost::asio::co_spawn(loop, supervisor->start(), [&](std::exception_ptr, result<void> r) { started = code(r); });
  loop.restart();
  loop.run_for(milliseconds(10));
  boost::asio::co_spawn(loop, supervisor->stop(), [&](std::exception_ptr, result<void> r) { second = code(r); });
  loop.restart();
  loop.run_for(milliseconds(10));
  where.daemon->status = exit_status{0, SIGTERM};
  run_until([&] { return first && started && second; });
  EXPECT_EQ(first, errc::ok);
  EXPECT_EQ(second, errc::ok);
  EXPECT_EQ(started, errc::state);
  EXPECT_EQ(supervisor->status().state, daemon_state::stopped);
}

TEST_F(SupervisorFaults, GoesAndMovesWhileItIsCalled) {
  options.ready_timeout = seconds(30);
  where.plays->probe_start = script::how::never;
  make();
  static_assert(!std::is_copy_constructible_v<daemon_supervisor> &&
                std::is_nothrow_move_constructible_v<daemon_supervisor>);
  std::optional<errc> started;
  boost::asio::co_spawn(loop, supervisor->start(), [&](std::exception_ptr, result<void> r) { started = code(r); });
  daemon_supervisor moved = std::move(*supervisor);
  EXPECT_EQ(code(outcome(supervisor->start())), errc::closed);
  EXPECT_EQ(supervisor->status().state, daemon_state::disabled);
  run_until([&] { return moved.status().state == daemon_state::starting; });
  EXPECT_FALSE(started);
  // A call that has not begun to run, of a supervisor that is gone when it does.
  auto call = moved.wait_ready(time_point::max());
  moved = daemon_supervisor(loop.get_executor(), where, options);
  EXPECT_EQ(code(outcome(std::move(call))), errc::closed);
  run_until([&] { return started.has_value(); });
  EXPECT_EQ(started, errc::closed);
}

// The lines of the start and dockerd's come by one stream.
TEST_F(SupervisorFaults, LinesWithoutTheRunsNonceAreDockerdsOwn) {
  std::vector<std::string> lines;
  options.on_daemon_line = [&](output_stream, std::string_view line) { lines.emplace_back(line); };
  where.plays->prints = [](const std::string&, const data_handler& line) {
    for (const char* forged :
         {"berth:pid 1", "berth:warning pay here", "berth::warning pay here", "berth:network", "berth:missing"})
      line(output_stream::out, forged);
  };
  up();
  EXPECT_EQ(lines.size(), 5u);
  EXPECT_EQ(log.find("pay here"), std::string::npos) << log;
  EXPECT_EQ(supervisor->status().pid, 7);
}

TEST_F(SupervisorFaults, EvenWithTheNonceDockerdSaysLittleAndNothingOnceItIsUp) {
  std::vector<std::string> lines;
  options.on_daemon_line = [&](output_stream, std::string_view line) { lines.emplace_back(line); };
  std::string known;
  where.plays->prints = [&](const std::string& nonce, const data_handler& line) {
    known = nonce;
    line(output_stream::out, "berth:" + nonce + ":pid 1");
    line(output_stream::out, "berth:" + nonce + ":failed no");
    line(output_stream::out, "berth:" + nonce + ":missing");
    for (int i = 0; i < 1000; ++i) line(output_stream::out, "berth:" + nonce + ":warning " + std::string(5000, 'w'));
  };
  up();
  ASSERT_EQ(known.size(), 20u);
  EXPECT_EQ(supervisor->status().pid, 7);
  EXPECT_EQ(lines.size(), 3u) << "what only comes before dockerd";
  EXPECT_LT(log.size(), 20000u);
  const std::string before = log;
  where.plays->on_line(output_stream::out, "berth:" + known + ":warning once more");
  EXPECT_EQ(log, before);
  EXPECT_EQ(lines.size(), 4u);
  run_until([&] { return log.find("were dropped from this log") != std::string::npos; });
  EXPECT_NE(log.find("were dropped from this log"), std::string::npos);
}

TEST_F(SupervisorFaults, ADockerdThatPrintsWithoutEndIsHeardInPart) {
  std::size_t bytes = 0;
  std::string notice;
  options.on_daemon_line = [&](output_stream, std::string_view line) {
    bytes += line.size();
    if (line.starts_with("berth: ")) notice = line;
  };
  up();
  for (int i = 0; i < 1000; ++i) where.plays->on_line(output_stream::err, std::string(60000, 'x'));
  EXPECT_LE(bytes, options.line_limit.bytes);
  EXPECT_EQ(notice, "");
  where.daemon->status = exit_status{0, SIGKILL};
  run_until([&] { return !notice.empty(); });
  EXPECT_EQ(notice.rfind("berth: 983 lines, ", 0), 0u) << notice;
}

TEST_F(SupervisorFaults, TheLoopMayGoFirst) {
  for (const bool stopping : {false, true}) {
    auto gone = std::make_unique<boost::asio::io_context>(1);
    where.plays = std::make_shared<script>();
    options.ready_timeout = seconds(30);
    if (!stopping) where.plays->probe_start = script::how::never;
    auto lost = std::make_unique<daemon_supervisor>(gone->get_executor(), where, options);
    boost::asio::co_spawn(*gone, lost->start(), [](std::exception_ptr, result<void>) {});
    for (int i = 0; i < 1000 && lost->status().state != (stopping ? daemon_state::ready : daemon_state::starting); ++i)
      gone->run_one_for(milliseconds(20));
    if (stopping) {
      where.plays->dies_on_term = false;
      boost::asio::co_spawn(*gone, lost->stop(), [](std::exception_ptr, result<void>) {});
    }
    gone->run_for(milliseconds(10));
    gone.reset();
    lost.reset();
  }
}

}  // namespace
}  // namespace berth
