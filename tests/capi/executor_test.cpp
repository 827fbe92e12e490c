// SPDX-License-Identifier: Apache-2.0
// The caller's own way to run commands: requests as events, answers by op.
#include "support.hpp"

namespace capi_test {

class CallerExecutorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(berth_executor_create(loop.get(), 42, own.slot(), error.slot()), BERTH_OK) << error.text();
  }
  Event request(std::uint32_t kind) {
    for (;;) {
      Event e = loop.next();
      if (e.kind == kind || e.kind == BERTH_EVENT_NONE) {
        EXPECT_EQ(e.kind, kind);
        return e;
      }
      loop.others.push_back(std::move(e));
    }
  }
  Loop loop;
  Executor own;
  Error error;
};

TEST_F(CallerExecutorTest, a_command_from_start_to_end) {
  const std::uint64_t op =
      exec(own.get(), R"({"argv":["docker","info"],"env":["A=1"],"cwd":"/w","user":"7:8","stdin":"pipe"})");
  const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  EXPECT_EQ(ask.user_data, 42u);
  EXPECT_EQ(ask.payload, R"({"argv":["docker","info"],"env":["A=1"],"cwd":"/w","user":"7:8","stdin":true})");
  EXPECT_NE(ask.op, op);
  ASSERT_EQ(berth_executor_started(own.get(), ask.op, 99, error.slot()), BERTH_OK) << error.text();
  ASSERT_EQ(berth_executor_output(own.get(), ask.op, 1, "out", 3, error.slot()), BERTH_OK);
  ASSERT_EQ(berth_executor_output(own.get(), ask.op, 2, "err", 3, error.slot()), BERTH_OK);
  EXPECT_EQ(request(BERTH_EVENT_STARTED).code, 99);

  std::uint64_t w = 0;
  ASSERT_EQ(berth_exec_write(loop.get(), op, "typed", 5, nullptr, &w, nullptr), BERTH_OK);
  const Event typed = request(BERTH_EVENT_REQUEST_STDIN);
  EXPECT_EQ(typed.op, ask.op);
  EXPECT_EQ(typed.payload, "typed");
  EXPECT_EQ(loop.done(w).status, BERTH_OK);
  ASSERT_EQ(berth_exec_close_stdin(loop.get(), op, nullptr), BERTH_OK);
  EXPECT_EQ(request(BERTH_EVENT_REQUEST_STDIN_CLOSE).op, ask.op);
  ASSERT_EQ(berth_exec_signal(loop.get(), op, 15, nullptr, &w, nullptr), BERTH_OK);
  EXPECT_EQ(request(BERTH_EVENT_REQUEST_SIGNAL).code, 15);

  ASSERT_EQ(berth_executor_exited(own.get(), ask.op, 5, 0, error.slot()), BERTH_OK);
  const Event end = loop.done(op);
  EXPECT_EQ(end.status, BERTH_OK) << end.error;
  EXPECT_EQ(end.code, 5);
  std::string out, err;
  for (const Event& e : loop.others) {
    if (e.kind == BERTH_EVENT_OUTPUT) (e.code == 1 ? out : err) += e.payload;
  }
  EXPECT_EQ(out, "out");
  EXPECT_EQ(err, "err");
  EXPECT_EQ(berth_executor_exited(own.get(), ask.op, 5, 0, error.slot()), BERTH_E_NOT_FOUND) << "a second time";
}

// What is said in one breath arrives in the order that callers are promised: STARTED before any OUTPUT.
TEST_F(CallerExecutorTest, started_comes_before_output) {
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t op = exec(own.get(), R"({"argv":["x"]})");
    const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
    ASSERT_EQ(berth_executor_started(own.get(), ask.op, 7, nullptr), BERTH_OK);
    ASSERT_EQ(berth_executor_output(own.get(), ask.op, 1, "a", 1, nullptr), BERTH_OK);
    ASSERT_EQ(berth_executor_output(own.get(), ask.op, 2, "b", 1, nullptr), BERTH_OK);
    ASSERT_EQ(berth_executor_output(own.get(), ask.op, 1, "c", 1, nullptr), BERTH_OK);
    ASSERT_EQ(berth_executor_exited(own.get(), ask.op, 0, 0, nullptr), BERTH_OK);
    std::string seen;
    for (Event e = loop.next(); e.kind != BERTH_EVENT_DONE; e = loop.next()) {
      ASSERT_EQ(e.op, op);
      seen += e.kind == BERTH_EVENT_STARTED ? "S" : e.payload;
    }
    ASSERT_EQ(seen, "Sabc");
  }
}

TEST_F(CallerExecutorTest, captured_and_by_signal) {
  const std::uint64_t op = exec(own.get(), R"({"argv":["x"],"stdout":"capture","stdin_text":"in"})");
  const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  ASSERT_EQ(berth_executor_started(own.get(), ask.op, 0, nullptr), BERTH_OK);
  EXPECT_EQ(request(BERTH_EVENT_REQUEST_STDIN).payload, "in");
  request(BERTH_EVENT_REQUEST_STDIN_CLOSE);
  ASSERT_EQ(berth_executor_output(own.get(), ask.op, 1, "abc", 3, nullptr), BERTH_OK);
  ASSERT_EQ(berth_executor_exited(own.get(), ask.op, 0, 9, nullptr), BERTH_OK);
  const Event end = loop.done(op);
  EXPECT_EQ(end.code, 137);
  EXPECT_EQ(end.payload, R"({"exit_code":0,"signal":9,"stdout":"abc"})");
}

TEST_F(CallerExecutorTest, failures) {
  std::uint64_t op = exec(own.get(), R"({"argv":["x"]})");
  Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  ASSERT_EQ(berth_executor_failed(own.get(), ask.op, BERTH_E_NOT_FOUND, "no such sandbox", 15, nullptr), BERTH_OK);
  Event end = loop.done(op);
  EXPECT_EQ(end.status, BERTH_E_NOT_FOUND);
  EXPECT_NE(end.error.find("no such sandbox"), std::string::npos);

  op = exec(own.get(), R"({"argv":["x"]})");
  ask = request(BERTH_EVENT_REQUEST_EXEC);
  ASSERT_EQ(berth_executor_started(own.get(), ask.op, 1, nullptr), BERTH_OK);
  ASSERT_EQ(berth_executor_failed(own.get(), ask.op, BERTH_E_IO, nullptr, 0, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(op).status, BERTH_E_IO);
}

TEST_F(CallerExecutorTest, cancelling_gives_the_request_up) {
  const std::uint64_t op = exec(own.get(), R"({"argv":["x"]})");
  const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  berth_op_cancel(loop.get(), op, nullptr);
  EXPECT_EQ(request(BERTH_EVENT_REQUEST_ABANDON).op, ask.op);
  EXPECT_EQ(loop.done(op).status, BERTH_E_CANCELLED);
  EXPECT_EQ(berth_executor_started(own.get(), ask.op, 1, error.slot()), BERTH_E_NOT_FOUND);
}

TEST_F(CallerExecutorTest, answers_out_of_order) {
  const std::uint64_t op = exec(own.get(), R"({"argv":["x"]})");
  const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  EXPECT_EQ(berth_executor_exited(own.get(), ask.op, 0, 0, error.slot()), BERTH_E_STATE);
  EXPECT_EQ(berth_executor_output(own.get(), ask.op, 1, "x", 1, error.slot()), BERTH_E_STATE);
  EXPECT_EQ(berth_executor_started(own.get(), ask.op, 1, error.slot()), BERTH_OK);
  EXPECT_EQ(berth_executor_started(own.get(), ask.op, 1, error.slot()), BERTH_E_STATE);
  EXPECT_EQ(berth_executor_output(own.get(), ask.op, 3, "x", 1, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_executor_exited(own.get(), ask.op, 256, 0, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_executor_failed(own.get(), ask.op, 0, nullptr, 0, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_executor_exited(own.get(), ask.op + 1000, 0, 0, error.slot()), BERTH_E_NOT_FOUND);
  EXPECT_EQ(berth_executor_exited(own.get(), ask.op, 0, 0, error.slot()), BERTH_OK);
  EXPECT_EQ(loop.done(op).status, BERTH_OK);
  Executor host;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  EXPECT_EQ(berth_executor_started(host.get(), ask.op, 1, error.slot()), BERTH_E_INVALID);
}

// The handle may go while its command runs.
TEST_F(CallerExecutorTest, freed_while_a_request_waits) {
  const std::uint64_t op = exec(own.get(), R"({"argv":["x"]})");
  const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  berth_executor* stale = own.get();
  own.free();
  EXPECT_EQ(berth_executor_started(stale, ask.op, 1, error.slot()), BERTH_E_CLOSED);
  berth_op_cancel(loop.get(), op, nullptr);
  EXPECT_EQ(loop.done(op).status, BERTH_E_CANCELLED);
}

TEST_F(CallerExecutorTest, closing_the_loop_ends_requests) {
  const std::uint64_t op = exec(own.get(), R"({"argv":["x"]})");
  request(BERTH_EVENT_REQUEST_EXEC);
  ASSERT_EQ(berth_loop_close(loop.get(), nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(op).status, BERTH_E_CANCELLED);
  EXPECT_EQ(loop.next().kind, static_cast<std::uint32_t>(BERTH_EVENT_CLOSED));
}

// A dockerd that the loop supervises is ended with the loop: the caller, who runs it, is told before the last event.
TEST_F(CallerExecutorTest, closing_the_loop_gives_the_daemon_up) {
  berth_daemon* daemon = nullptr;
  ASSERT_EQ(berth_daemon_create(own.get(), nullptr, 0, 0, &daemon, error.slot()), BERTH_OK) << error.text();
  std::uint64_t op = 0;
  ASSERT_EQ(berth_daemon_start(daemon, nullptr, &op, error.slot()), BERTH_OK);
  const Event ask = request(BERTH_EVENT_REQUEST_EXEC);
  ASSERT_EQ(berth_executor_started(own.get(), ask.op, 5, nullptr), BERTH_OK);
  const std::size_t at = ask.payload.find("BERTH_START_NONCE=");
  ASSERT_NE(at, std::string::npos) << ask.payload;
  const std::string nonce = ask.payload.substr(at + 18, 20);
  const std::string pid = "berth:" + nonce + ":pid 5\nberth:" + nonce + ":network\n";
  ASSERT_EQ(berth_executor_output(own.get(), ask.op, 1, pid.data(), pid.size(), nullptr), BERTH_OK);
  const Event probe = request(BERTH_EVENT_REQUEST_EXEC);  // the first `docker info`
  ASSERT_EQ(berth_executor_started(own.get(), probe.op, 6, nullptr), BERTH_OK);
  ASSERT_EQ(berth_executor_exited(own.get(), probe.op, 0, 0, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(op).status, BERTH_OK);
  ASSERT_EQ(berth_loop_close(loop.get(), nullptr), BERTH_OK);
  bool given_up = false;
  for (Event e = loop.next(); e.kind != BERTH_EVENT_CLOSED; e = loop.next()) {
    ASSERT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
    given_up = given_up || (e.kind == BERTH_EVENT_REQUEST_ABANDON && e.op == ask.op);
  }
  EXPECT_TRUE(given_up);
  berth_daemon_free(daemon);
}

}  // namespace capi_test
