// SPDX-License-Identifier: Apache-2.0
// The supervisor over a caller's own executor: what an embedder's program does, on real runsc and dockerd.
#include "sandbox_fixture.hpp"

namespace capi_test {

/// A worker that knows how to run commands in its sandbox (here: by berth_sandbox_exec) and answers berth's requests.
class DaemonTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    const Event made = create(R"(,"docker":{"start":false})");
    ASSERT_EQ(made.status, BERTH_OK) << made.error << "\n" << made.detail;
    ASSERT_EQ(berth_executor_create(loop_->get(), 42, own_.slot(), nullptr), BERTH_OK);
  }
  void TearDown() override {
    berth_daemon_free(daemon_);
    own_.free();
    SandboxTest::TearDown();
  }

  /// One event: answered when it is a request or belongs to one. Gives it back in any case.
  Event step() {
    Event e = loop_->next();
    if (e.user_data == 42 && e.kind >= BERTH_EVENT_REQUEST_EXEC) {
      ++requests_;
      answer(e);
    } else if (const auto mine = request_of_.find(e.op); mine != request_of_.end()) {
      forward(e, mine->second);
    }
    return e;
  }

  Event run_until_done(std::uint64_t op) {
    for (;;) {
      Event e = step();
      if ((e.kind == BERTH_EVENT_DONE && e.op == op) || e.kind == BERTH_EVENT_NONE) return e;
    }
  }

  void run_until_state(const std::string& part) {
    for (;;) {
      const Event e = step();
      if (e.kind == BERTH_EVENT_NONE) FAIL() << "no state with " << part;
      if (e.kind == BERTH_EVENT_DAEMON_STATE && e.payload.find(part) != std::string::npos) return;
    }
  }

  std::string status() {
    berth_buffer* json = nullptr;
    EXPECT_EQ(berth_daemon_status(daemon_, &json, nullptr), BERTH_OK);
    return take(json);
  }

  Executor own_;
  berth_daemon* daemon_ = nullptr;
  int requests_ = 0;
  int abandoned_ = 0;

 private:
  void answer(const Event& e) {
    Error error;
    std::uint64_t op = 0;
    switch (e.kind) {
      case BERTH_EVENT_REQUEST_EXEC: {
        std::string options = e.payload;
        const std::string pipe = "\"stdin\":true", none = "\"stdin\":false";
        if (const auto at = options.find(pipe); at != std::string::npos)
          options.replace(at, pipe.size(), "\"stdin\":\"pipe\"");
        if (const auto at = options.find(none); at != std::string::npos)
          options.replace(at, none.size(), "\"stdin\":\"null\"");
        ASSERT_EQ(berth_sandbox_exec(box_, options.data(), options.size(), nullptr, &op, error.slot()), BERTH_OK)
            << error.text() << options;
        request_of_[op] = e.op;
        command_of_[e.op] = op;
        break;
      }
      case BERTH_EVENT_REQUEST_STDIN:
        berth_exec_write(loop_->get(), command_of_[e.op], e.payload.data(), e.payload.size(), nullptr, &op, nullptr);
        break;
      case BERTH_EVENT_REQUEST_STDIN_CLOSE: berth_exec_close_stdin(loop_->get(), command_of_[e.op], nullptr); break;
      case BERTH_EVENT_REQUEST_SIGNAL:
        berth_exec_signal(loop_->get(), command_of_[e.op], e.code, nullptr, &op, nullptr);
        break;
      case BERTH_EVENT_REQUEST_ABANDON:
        ++abandoned_;
        berth_op_cancel(loop_->get(), command_of_[e.op], nullptr);
        break;
      default: break;
    }
  }

  void forward(const Event& e, std::uint64_t request) {
    switch (e.kind) {
      case BERTH_EVENT_STARTED: berth_executor_started(own_.get(), request, e.code, nullptr); break;
      case BERTH_EVENT_OUTPUT:
        berth_executor_output(own_.get(), request, e.code, e.payload.data(), e.payload.size(), nullptr);
        break;
      case BERTH_EVENT_DONE:
        if (e.status == BERTH_OK) {
          const bool killed = e.payload.find("\"signal\":0") == std::string::npos;
          berth_executor_exited(own_.get(), request, killed ? 0 : e.code, killed ? e.code - 128 : 0, nullptr);
        } else {
          berth_executor_failed(own_.get(), request, e.status, e.error.data(), e.error.size(), nullptr);
        }
        break;
      default: break;
    }
  }

  std::map<std::uint64_t, std::uint64_t> request_of_;  // a command's op → the request's
  std::map<std::uint64_t, std::uint64_t> command_of_;
};

TEST_F(DaemonTest, supervised_by_the_callers_executor) {
  Error error;
  const std::string_view options =
      R"({"restart":"on-failure","restart_first_pause_ms":50,"ready_timeout_ms":60000,"daemon_lines":true,"sockets":)"
      R"(["/var/run/docker.sock"]})";
  ASSERT_EQ(berth_daemon_create(own_.get(), options.data(), options.size(), 7, &daemon_, error.slot()), BERTH_OK)
      << error.text();
  EXPECT_NE(status().find("\"state\":\"disabled\""), std::string::npos);
  std::uint64_t op = 0;
  ASSERT_EQ(berth_daemon_start(daemon_, nullptr, &op, error.slot()), BERTH_OK);
  const Event ready = run_until_done(op);
  ASSERT_EQ(ready.status, BERTH_OK) << ready.error << ready.detail;
  EXPECT_EQ(ready.code, BERTH_DAEMON_READY);
  EXPECT_NE(status().find("\"state\":\"ready\""), std::string::npos) << status();
  EXPECT_GT(requests_, 1) << "dockerd, and at least one probe by `docker info`";
  ASSERT_EQ(berth_daemon_wait_ready(daemon_, nullptr, &op, nullptr), BERTH_OK);
  EXPECT_EQ(run_until_done(op).status, BERTH_OK);

  // Killed, it comes back, and the state says so.
  const std::string_view kill = R"({"argv":["pkill","-9","-x","dockerd"]})";
  ASSERT_EQ(berth_sandbox_exec(box_, kill.data(), kill.size(), nullptr, &op, error.slot()), BERTH_OK);
  run_until_state(R"("state":"starting")");
  run_until_state(R"("state":"ready")");
  EXPECT_NE(status().find("\"restarts\":1"), std::string::npos) << status();

  ASSERT_EQ(berth_daemon_stop(daemon_, nullptr, &op, error.slot()), BERTH_OK);
  const Event stopped = run_until_done(op);
  EXPECT_EQ(stopped.status, BERTH_OK) << stopped.error;
  EXPECT_NE(status().find("\"state\":\"stopped\""), std::string::npos) << status();
  ASSERT_EQ(berth_daemon_wait_ready(daemon_, nullptr, &op, nullptr), BERTH_OK);
  EXPECT_EQ(run_until_done(op).status, BERTH_E_STATE);
}

TEST_F(DaemonTest, freed_while_it_starts) {
  Error error;
  ASSERT_EQ(berth_daemon_create(own_.get(), nullptr, 0, 0, &daemon_, error.slot()), BERTH_OK) << error.text();
  std::uint64_t op = 0, waiting = 0;
  ASSERT_EQ(berth_daemon_wait_ready(daemon_, nullptr, &waiting, error.slot()), BERTH_OK);
  ASSERT_EQ(berth_daemon_start(daemon_, nullptr, &op, error.slot()), BERTH_OK);
  while (requests_ == 0) ASSERT_NE(step().kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
  berth_daemon* stale = daemon_;
  berth_daemon_free(std::exchange(daemon_, nullptr));
  berth_daemon_free(stale);
  // Whoever waits is told, and the command of dockerd is given up.
  std::map<std::uint64_t, berth_status> ended;
  while (ended.size() < 2 || abandoned_ == 0) {
    const Event e = step();
    ASSERT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
    if (e.kind == BERTH_EVENT_DONE && (e.op == op || e.op == waiting)) ended[e.op] = e.status;
  }
  EXPECT_EQ(ended[op], BERTH_E_CLOSED);
  EXPECT_EQ(ended[waiting], BERTH_E_CLOSED);
  EXPECT_EQ(berth_daemon_stop(stale, nullptr, &op, error.slot()), BERTH_E_CLOSED);
  berth_buffer* json = nullptr;
  EXPECT_EQ(berth_daemon_status(stale, &json, error.slot()), BERTH_E_CLOSED);
}

// Nobody has started it: the wait has no other end than this.
TEST_F(DaemonTest, freed_while_somebody_waits) {
  Error error;
  ASSERT_EQ(berth_daemon_create(own_.get(), nullptr, 0, 0, &daemon_, error.slot()), BERTH_OK) << error.text();
  std::uint64_t op = 0;
  ASSERT_EQ(berth_daemon_wait_ready(daemon_, nullptr, &op, error.slot()), BERTH_OK);
  berth_daemon_free(std::exchange(daemon_, nullptr));
  EXPECT_EQ(run_until_done(op).status, BERTH_E_CLOSED);
}

TEST_F(DaemonTest, cancelling_the_start_stops_it) {
  Error error;
  ASSERT_EQ(berth_daemon_create(own_.get(), nullptr, 0, 0, &daemon_, error.slot()), BERTH_OK) << error.text();
  std::uint64_t op = 0;
  ASSERT_EQ(berth_daemon_start(daemon_, nullptr, &op, error.slot()), BERTH_OK);
  while (requests_ == 0) ASSERT_NE(step().kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
  berth_op_cancel(loop_->get(), op, nullptr);
  EXPECT_EQ(run_until_done(op).status, BERTH_E_CANCELLED);
  while (status().find("\"state\":\"stopped\"") == std::string::npos) {
    ASSERT_NE(step().kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE)) << status();
  }
}

TEST_F(DaemonTest, options_are_checked) {
  Error error;
  for (const std::string_view bad :
       {R"({"restart":"always"})", R"({"ready_timeout_ms":-1})", R"({"docker_version":"newest"})", R"({"sockets":[]})",
        R"({"wrap_runc":"maybe"})", R"({"readiness":1})", R"({"uplink_mtu":100000})", "[]"}) {
    EXPECT_EQ(berth_daemon_create(own_.get(), bad.data(), bad.size(), 0, &daemon_, error.slot()), BERTH_E_INVALID)
        << bad;
    EXPECT_EQ(daemon_, nullptr);
  }
}

}  // namespace capi_test
