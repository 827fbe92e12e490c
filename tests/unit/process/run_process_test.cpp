// SPDX-License-Identifier: Apache-2.0
#include "children.hpp"
#include "loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <optional>

namespace berth {
namespace {

using boost::asio::awaitable;
using namespace test;
namespace asio = boost::asio;

TEST(RunProcess, CollectsBothStreamsAndTheCode) {
  auto r = run(run_process(shell("echo out; echo err >&2; exit 7")));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->status, (exit_status{7, 0}));
  EXPECT_EQ(r->out, "out\n");
  EXPECT_EQ(r->err, "err\n");
}

TEST(RunProcess, ReportsTheSignalThatEndedIt) {
  auto r = run(run_process(shell("kill -SEGV $$")));
  ASSERT_TRUE(r);
  EXPECT_EQ(r->status, (exit_status{0, SIGSEGV}));
  EXPECT_EQ(r->status.shell_code(), 128 + SIGSEGV);
}

TEST(RunProcess, FeedsAMegabyteOfTextToStdin) {
  std::string text;
  for (int i = 0; text.size() < (1 << 20); ++i) text += std::to_string(i) + "\n";
  stdio_options io = text_input(text);
  io.capture_limit = 4 << 20;
  spawn_options o;
  o.argv = {"cat"};
  o.env = minimal_environment();
  auto r = run(run_process(o, io));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->out, text);
}

TEST(RunProcess, AChildThatReadsNothingOfItsTextIsNoErrorAndRaisesNoSigpipe) {
  auto r = run(run_process(shell("exec <&-; exit 3"), text_input(std::string(1 << 20, 'x'))));
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(r->status.code, 3);
}

TEST(RunProcess, PastTheDeadlineTheGroupIsKilledAndTheErrorHoldsWhatItSaid) {
  pid_t grandchild = 0;
  stdio_options io;
  io.on_line = [&](output_stream, std::string_view line) { grandchild = std::stoi(std::string(line)); };
  auto r = run(run_process(shell("sleep 1000 & echo $!; wait"), io, deadline_after(milliseconds(500))));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, errc::timeout);
  EXPECT_EQ(r.error().path, "/bin/sh");
  EXPECT_EQ(r.error().detail, std::to_string(grandchild) + "\n");
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(dies(grandchild));
}

TEST(RunProcess, CancellingKillsTheGroup) {
  asio::io_context loop(1);
  asio::cancellation_signal stop;
  std::optional<result<command_result>> got;
  pid_t leader = 0;
  stdio_options io;
  io.on_line = [&](output_stream, std::string_view line) {
    leader = std::stoi(std::string(line));
    stop.emit(asio::cancellation_type::terminal);
  };
  asio::co_spawn(loop, run_process(shell("echo $$; sleep 1000"), io),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e, result<command_result> r) {
                   EXPECT_FALSE(e);
                   got = std::move(r);
                 }));
  loop.run();
  ASSERT_TRUE(got);
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, errc::cancelled);
  ASSERT_GT(leader, 0);
  EXPECT_EQ(process_state(leader), "");  // reaped
}

}  // namespace
}  // namespace berth
