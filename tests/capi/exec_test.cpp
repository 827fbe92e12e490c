// SPDX-License-Identifier: Apache-2.0
// Commands on this host: output, stdin, signals, cancelling.
#include "support.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace capi_test {

class ExecTest : public testing::Test {
 protected:
  void SetUp() override {
    Error error;
    ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), error.slot()), BERTH_OK) << error.text();
  }
  static std::string sh(const std::string& script, const std::string& more = {}) {
    return R"({"argv":["/bin/sh","-c",")" + script + "\"]" + more + "}";
  }
  Loop loop;
  Executor host;
};

TEST_F(ExecTest, output_comes_apart_and_before_the_end) {
  const auto how = op_options(5);
  const std::uint64_t op = exec(host.get(), sh("echo out; echo err >&2; exit 3"), &how);
  const Event e = loop.done(op);
  EXPECT_EQ(e.status, BERTH_OK) << e.error;
  EXPECT_EQ(e.code, 3);
  EXPECT_EQ(e.payload, R"({"exit_code":3,"signal":0})");
  EXPECT_EQ(loop.output[op][1], "out\n");
  EXPECT_EQ(loop.output[op][2], "err\n");
  ASSERT_FALSE(loop.others.empty());
  EXPECT_EQ(loop.others[0].kind, static_cast<std::uint32_t>(BERTH_EVENT_STARTED));
  EXPECT_GT(loop.others[0].code, 0);
  EXPECT_EQ(loop.others[0].user_data, 5u);
}

TEST_F(ExecTest, captured_output) {
  Event e = loop.done(exec(host.get(), sh("echo a; echo b >&2", R"(,"stdout":"capture","stderr":"capture")")));
  EXPECT_EQ(e.payload, R"({"exit_code":0,"signal":0,"stdout":"a\n","stderr":"b\n"})");
  e = loop.done(exec(host.get(), sh(R"(printf '\\377x')", R"(,"stdout":"capture","stderr":"null")")));
  EXPECT_EQ(e.payload, R"({"exit_code":0,"signal":0,"stdout_base64":"/3g="})");
  EXPECT_TRUE(loop.output.empty());
}

TEST_F(ExecTest, environment_and_directory) {
  const Event e = loop.done(
      exec(host.get(), sh("echo $X $Y; pwd", R"(,"stdout":"capture","env":{"X":"1","Y":"a b"},"cwd":"/usr")")));
  EXPECT_NE(e.payload.find(R"("stdout":"1 a b\n/usr\n")"), std::string::npos) << e.payload;
}

TEST_F(ExecTest, a_program_that_is_not_there) {
  const Event e = loop.done(exec(host.get(), R"({"argv":["/nonexistent/program"]})"));
  EXPECT_EQ(e.status, BERTH_E_NOT_FOUND);
  EXPECT_NE(e.error.find("/nonexistent/program"), std::string::npos) << e.error;
}

TEST_F(ExecTest, stdin_text) {
  const Event e = loop.done(exec(host.get(), R"({"argv":["cat"],"stdin_text":"héllo","stdout":"capture"})"));
  EXPECT_NE(e.payload.find(R"("stdout":"héllo")"), std::string::npos) << e.payload;
}

TEST_F(ExecTest, stdin_pipe_keeps_the_order_of_writes) {
  const std::uint64_t op = exec(host.get(), R"({"argv":["cat"],"stdin":"pipe"})");
  std::string all;
  std::vector<std::uint64_t> writes;
  for (int i = 0; i < 20; ++i) {
    const std::string part(20000, static_cast<char>('a' + i));
    all += part;
    std::uint64_t w = 0;
    ASSERT_EQ(berth_exec_write(loop.get(), op, part.data(), part.size(), nullptr, &w, nullptr), BERTH_OK);
    writes.push_back(w);
  }
  ASSERT_EQ(berth_exec_close_stdin(loop.get(), op, nullptr), BERTH_OK);
  const Event e = loop.done(op);
  EXPECT_EQ(e.code, 0);
  EXPECT_EQ(loop.output[op][1], all);
  std::size_t done = 0;
  for (const Event& o : loop.others) {
    if (o.kind != BERTH_EVENT_DONE) continue;
    EXPECT_EQ(o.op, writes[done]) << "in order";
    EXPECT_EQ(o.status, BERTH_OK) << o.error;
    ++done;
  }
  EXPECT_EQ(done, writes.size());
  std::uint64_t late = 0;
  ASSERT_EQ(berth_exec_write(loop.get(), op, "x", 1, nullptr, &late, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(late).status, BERTH_E_NOT_FOUND);
}

TEST_F(ExecTest, a_write_can_be_cancelled) {
  const std::uint64_t op = exec(host.get(), R"({"argv":["sleep","600"],"stdin":"pipe"})");
  const std::string much(4 << 20, 'x');
  std::uint64_t first = 0, second = 0;
  ASSERT_EQ(berth_exec_write(loop.get(), op, much.data(), much.size(), nullptr, &first, nullptr), BERTH_OK);
  ASSERT_EQ(berth_exec_write(loop.get(), op, "y", 1, nullptr, &second, nullptr), BERTH_OK);
  berth_op_cancel(loop.get(), second, nullptr);
  EXPECT_EQ(loop.done(second).status, BERTH_E_CANCELLED);
  berth_op_cancel(loop.get(), first, nullptr);
  EXPECT_EQ(loop.done(first).status, BERTH_E_CANCELLED);
  berth_op_cancel(loop.get(), op, nullptr);
  EXPECT_EQ(loop.done(op).status, BERTH_E_CANCELLED);
}

TEST_F(ExecTest, a_slow_reader_can_hold_the_command) {
  const std::uint64_t op = exec(host.get(), sh("head -c 8000000 /dev/zero"));
  std::size_t bytes = 0;
  while (bytes == 0) bytes += loop.next().kind == BERTH_EVENT_OUTPUT;
  ASSERT_EQ(berth_exec_hold(loop.get(), op, 1, nullptr), BERTH_OK);
  // What was on its way comes; the command is far from its end, however many events are taken.
  for (std::size_t n = 1; n != 0;) {
    berth_event e{};
    ASSERT_EQ(berth_loop_wait(loop.get(), &e, 1, &n, 500, nullptr), BERTH_OK);
    ASSERT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_DONE));
    berth_event_clear(&e);
  }
  ASSERT_EQ(berth_exec_hold(loop.get(), op, 0, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(op).code, 0);
  Error error;
  EXPECT_EQ(berth_exec_hold(loop.get(), op, 2, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_exec_hold(loop.get(), op, 1, nullptr), BERTH_OK) << "it has ended";
}

TEST_F(ExecTest, signals) {
  const std::uint64_t op = exec(host.get(), R"({"argv":["sleep","600"]})");
  std::uint64_t sent = 0;
  ASSERT_EQ(berth_exec_signal(loop.get(), op, SIGTERM, nullptr, &sent, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(sent).status, BERTH_OK);
  const Event e = loop.done(op);
  EXPECT_EQ(e.status, BERTH_OK);
  EXPECT_EQ(e.code, 128 + SIGTERM);
  EXPECT_EQ(e.payload, R"({"exit_code":0,"signal":15})");
  Error error;
  EXPECT_EQ(berth_exec_signal(loop.get(), op, 0, nullptr, &sent, error.slot()), BERTH_E_INVALID);
  ASSERT_EQ(berth_exec_signal(loop.get(), op, SIGTERM, nullptr, &sent, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(sent).status, BERTH_E_NOT_FOUND);
}

TEST_F(ExecTest, cancelling_kills) {
  const std::uint64_t op = exec(host.get(), sh("echo $$; exec sleep 600"));
  while (loop.output[op][1].empty()) {
    Event e = loop.next();
    ASSERT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
    if (e.kind == BERTH_EVENT_OUTPUT) loop.output[op][1] += e.payload;
  }
  const pid_t pid = std::stoi(loop.output[op][1]);
  EXPECT_EQ(kill(pid, 0), 0);
  berth_op_cancel(loop.get(), op, nullptr);
  EXPECT_EQ(loop.done(op).status, BERTH_E_CANCELLED);
  EXPECT_EQ(kill(pid, 0), -1) << "killed and reaped before the event";
}

TEST_F(ExecTest, deadline_kills) {
  const auto how = op_options(0, ns_from_now(50));
  const Event e = loop.done(exec(host.get(), R"({"argv":["sleep","600"]})", &how));
  EXPECT_EQ(e.status, BERTH_E_TIMEOUT) << e.error;
}

// A grandchild that keeps the pipe open does not hold up the end.
TEST_F(ExecTest, a_grandchild_with_the_pipe) {
  const std::uint64_t op = exec(host.get(), sh("sleep 300 & echo $!"));
  const Event e = loop.done(op);
  EXPECT_EQ(e.status, BERTH_OK);
  kill(std::stoi(loop.output[op][1]), SIGKILL);
}

// A reader that takes nothing holds the command back instead of filling the memory.
TEST(exec, slow_reader_holds_the_command_back) {
  berth_loop_options options;
  berth_loop_options_init(&options, sizeof options);
  options.output_limit = 100000;
  Loop loop(&options);
  Executor host;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  const std::uint64_t op = exec(host.get(), R"({"argv":["head","-c","3000000","/dev/zero"]})");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // more than enough for all of it
  std::vector<berth_event> raw(1000);
  std::size_t n = 0;
  ASSERT_EQ(berth_loop_poll(loop.get(), raw.data(), raw.size(), &n, nullptr), BERTH_OK);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Event e = copy_event(raw[i]);
    EXPECT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_DONE));
    if (e.kind == BERTH_EVENT_OUTPUT) bytes += e.payload.size();
  }
  EXPECT_LE(bytes, 100000u + 65536u);
  const Event e = loop.done(op);
  EXPECT_EQ(e.code, 0);
  EXPECT_EQ(bytes + loop.output[op][1].size(), 3000000u) << "and none is lost";
}

// Many small pieces take no more of this process's memory than few large ones.
TEST(exec, a_command_that_writes_byte_by_byte_is_held_back) {
  berth_loop_options options;
  berth_loop_options_init(&options, sizeof options);
  options.output_limit = 64 * 1024;
  Loop loop(&options);
  Executor host;
  ASSERT_EQ(berth_executor_create_host(loop.get(), host.slot(), nullptr), BERTH_OK);
  // dd writes each byte by itself.
  const std::uint64_t op = exec(host.get(), R"({"argv":["dd","if=/dev/zero","bs=1","count=500000","status=none"]})");
  std::size_t events = 0, bytes = 0;
  for (Event e = loop.next(); e.kind != BERTH_EVENT_DONE; e = loop.next()) {
    ASSERT_EQ(e.op, op);
    if (e.kind != BERTH_EVENT_OUTPUT) continue;
    if (events == 0) {
      // Held back after some hundred of them, not after as many as fit by their bytes alone.
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      berth_event raw[1024];
      std::size_t n = 0;
      ASSERT_EQ(berth_loop_poll(loop.get(), raw, 1024, &n, nullptr), BERTH_OK);
      EXPECT_LE(n, 64u * 1024 / 256 + 1);
      for (std::size_t i = 0; i < n; ++i) bytes += copy_event(raw[i]).payload.size();
    }
    ++events;
    bytes += e.payload.size();
  }
  EXPECT_EQ(bytes, 500000u);
}

// Its stdin may be held open by a grandchild that never reads: who writes for it is told that the command has ended.
TEST_F(ExecTest, a_write_does_not_outlive_the_command) {
  const std::string script = "exec 3<&0; sleep 1000 <&3 >/dev/null 2>&1 & trap 'exit 0' TERM; echo $!; wait";
  const std::uint64_t op = exec(host.get(), sh(script, R"(,"stdin":"pipe")"));
  const std::string much(1 << 20, 'x');
  std::uint64_t first = 0, second = 0, ended = 0;
  ASSERT_EQ(berth_exec_write(loop.get(), op, much.data(), much.size(), nullptr, &first, nullptr), BERTH_OK);
  ASSERT_EQ(berth_exec_write(loop.get(), op, "y", 1, nullptr, &second, nullptr), BERTH_OK);
  while (loop.output[op][1].empty()) {
    const Event e = loop.next();
    ASSERT_NE(e.kind, static_cast<std::uint32_t>(BERTH_EVENT_NONE));
    if (e.kind == BERTH_EVENT_OUTPUT) loop.output[op][1] += e.payload;
  }
  ASSERT_EQ(berth_exec_signal(loop.get(), op, SIGTERM, nullptr, &ended, nullptr), BERTH_OK);
  EXPECT_EQ(loop.done(op).status, BERTH_OK);
  const pid_t grandchild = std::stoi(loop.output[op][1]);
  EXPECT_EQ(loop.done(first).status, BERTH_E_CLOSED);
  EXPECT_EQ(loop.done(second).status, BERTH_E_CLOSED);
  EXPECT_EQ(kill(grandchild, SIGKILL), 0);
}

TEST_F(ExecTest, options_are_checked) {
  Error error;
  std::uint64_t op = 1;
  for (const std::string_view bad :
       {"{}", R"({"argv":[]})", R"({"argv":[""]})", R"({"argv":"ls"})", R"({"argv":["ls"],"stdin":"tty"})",
        R"({"argv":["ls"],"stdout":"file"})", R"({"argv":["ls"],"timeout":3})", R"({"argv":["ls"],"env":["NOEQUALS"]})",
        R"({"argv":["ls"],"capture_limit":-1})", R"({"argv":["l\u0000s"]})", "{", ""}) {
    EXPECT_EQ(berth_exec_start(host.get(), bad.data(), bad.size(), nullptr, &op, error.slot()), BERTH_E_INVALID) << bad;
    EXPECT_EQ(op, 0u);
    EXPECT_FALSE(error.message().empty());
  }
}

}  // namespace capi_test
