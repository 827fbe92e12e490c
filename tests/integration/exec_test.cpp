// SPDX-License-Identifier: Apache-2.0
// Commands in a sandbox, through its guest and by runsc exec: the two do the same.
#include "support/sandbox_fixture.hpp"

#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/detail/runsc_processes.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

namespace {

using namespace berth;

enum class way { guest, runsc_exec };

class SandboxExec : public berth_test::sandbox_test, public ::testing::WithParamInterface<way> {
 protected:
  void SetUp() override {
    sandbox_test::SetUp();
    if (!ready_) return;
    sandbox_config what = config();
    what.env = {"FROM_CONFIG=yes", "BOTH=config"};
    what.cwd = "/usr";
    box_ = create(what);
    if (box_) box_->use_runsc_exec(GetParam() == way::runsc_exec);
  }
  void TearDown() override {
    if (box_) terminate(*box_);
    box_.reset();
    sandbox_test::TearDown();
  }
  bool comes_true(const std::string& script) {  // within a generous time
    for (int i = 0; i < 200; ++i) {
      auto done = exec(*box_, {"sh", "-c", script});
      if (done && done->status.success()) return true;
      loop_.run_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  // How many of the host's processes are clients of the sandbox's runsc.
  int clients() {
    const auto prefix = detail::find_root_prefix(where_.root);
    EXPECT_TRUE(prefix && !prefix->empty());
    const auto processes = detail::find_runsc_processes(detail::runsc_owner::of(box_->record(), prefix.value()));
    EXPECT_TRUE(processes) << processes.error().to_string();
    return static_cast<int>(
        std::count_if(processes->begin(), processes->end(), [](const auto& p) { return p.client; }));
  }

  std::shared_ptr<sandbox> box_;
};

INSTANTIATE_TEST_SUITE_P(By, SandboxExec, ::testing::Values(way::guest, way::runsc_exec), [](const auto& tested) {
  return std::string(tested.param == way::guest ? "Guest" : "RunscExec");
});

TEST_P(SandboxExec, GoesTheWayThatItIsTo) {
  command what;
  what.argv = {"sh", "-c", "echo begun; exec sleep 4710"};
  auto running = loop_.run(box_->start(what, {}));
  ASSERT_TRUE(running) << running.error().to_string();
  for (int i = 0; i < 1200 && (*running)->output(output_stream::out).empty(); ++i) loop_.run_for(milliseconds(50));
  EXPECT_EQ(clients(), GetParam() == way::guest ? 0 : 1);
  EXPECT_TRUE(loop_.run((*running)->signal(SIGKILL)));
  EXPECT_TRUE(loop_.run((*running)->wait(deadline_after(seconds(60)))));
}

TEST_P(SandboxExec, KeepsStreamsApartAndGivesTheExitCode) {
  auto done = exec(*box_, {"sh", "-c", "echo out; echo err >&2; exit 42"});
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, "out\n");
  EXPECT_EQ(done->err, "err\n");
  EXPECT_EQ(done->status, (exit_status{42, 0}));
}

TEST_P(SandboxExec, PassesArgumentsAsTheyAre) {
  auto done = exec(*box_, {"printf", "%s|", "--help", "a b", "", "$HOME", "\xc3\xa9", "-x=1"});
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, "--help|a b||$HOME|\xc3\xa9|-x=1|");
}

TEST_P(SandboxExec, GivesTheExitCodesOfShells) {
  auto absent = exec(*box_, {"/no/such/program"});
  ASSERT_TRUE(absent) << absent.error().to_string();
  EXPECT_EQ(absent->status.code, 127);
  EXPECT_NE(absent->err.find("o such file"), std::string::npos) << absent->err;
  absent = exec(*box_, {"no-such-program-on-path"});
  ASSERT_TRUE(absent) << absent.error().to_string();
  EXPECT_EQ(absent->status.code, 127);
  auto closed = exec(*box_, {"/etc/passwd"});
  ASSERT_TRUE(closed) << closed.error().to_string();
  EXPECT_EQ(closed->status.code, 126);
  command nowhere;
  nowhere.argv = {"true"};
  nowhere.cwd = "/no/such/directory";
  auto astray = exec(*box_, nowhere);
  ASSERT_TRUE(astray) << astray.error().to_string();
  EXPECT_EQ(astray->status.code, 126);
  // The command's own 128 is none of runsc's.
  auto own = exec(*box_, {"sh", "-c", "exit 128"});
  ASSERT_TRUE(own) << own.error().to_string();
  EXPECT_EQ(own->status.code, 128);
  auto killed = exec(*box_, {"sh", "-c", "kill -KILL $$"});
  ASSERT_TRUE(killed) << killed.error().to_string();
  EXPECT_EQ(killed->status.shell_code(), 137);
}

TEST_P(SandboxExec, HasEnvironmentDirectoryAndUser) {
  EXPECT_EQ(shell(*box_, "pwd; echo $FROM_CONFIG $BOTH; echo $PATH"),
            "/usr\nyes config\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  command what;
  what.argv = {"sh", "-c", "echo $BOTH $MINE; pwd; id -u; id -g; id -G"};
  what.env = {"BOTH=command", "MINE=a=b c"};
  what.cwd = "/tmp";
  what.user = "1234:567";
  auto done = exec(*box_, what);
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, "command a=b c\n/tmp\n1234\n567\n567\n");

  const auto whoami = [&](std::string user) {
    command id;
    id.argv = {"sh", "-c", "id -u; id -g"};
    id.user = std::move(user);
    auto told = exec(*box_, id);
    return told ? told->out : std::string(errc_name(told.error().code));
  };
  EXPECT_EQ(whoami("daemon"), "1\n1\n");
  EXPECT_EQ(whoami("daemon:mail"), "1\n8\n");
  EXPECT_EQ(whoami("0"), "0\n0\n");
  EXPECT_EQ(whoami("1"), "1\n1\n");  // passwd knows its group
  EXPECT_EQ(whoami("4321"), "4321\n0\n");
  EXPECT_EQ(whoami("nobody-of-that-name"), "not_found");
  EXPECT_EQ(whoami("root:"), "invalid");
  // No capabilities but root's.
  command caps;
  caps.argv = {"grep", "CapEff", "/proc/self/status"};
  caps.user = "daemon";
  auto told = exec(*box_, caps);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->out, "CapEff:\t0000000000000000\n");
}

TEST_P(SandboxExec, NoUserOfTheHostSeesWhatACommandIsGiven) {
  command what;
  what.argv = {"sh", "-c", "echo $TOKEN; sleep 60", "argument-4711-secret"};
  what.env = {"TOKEN=variable-4711-secret"};
  auto running = loop_.run(box_->start(what, {}));
  ASSERT_TRUE(running) << running.error().to_string();
  for (int i = 0; i < 1200 && (*running)->output(output_stream::out).empty(); ++i) loop_.run_for(milliseconds(50));
  ASSERT_EQ((*running)->output(output_stream::out), "variable-4711-secret\n");
  EXPECT_EQ(host_shell("grep -lsa '4711-secre[t]' /proc/[0-9]*/cmdline /proc/[0-9]*/environ; echo end"), "end");
  // Of the environment nothing is in root's own files either; arguments are in runsc's log there.
  EXPECT_EQ(host_shell("grep -rls 'variable-4711' " + box_->record().directory + "; echo end"), "end");
  EXPECT_TRUE(loop_.run((*running)->signal(SIGKILL)));
  EXPECT_TRUE(loop_.run((*running)->wait(deadline_after(seconds(60)))));
}

TEST_P(SandboxExec, TakesLongArgumentsAndRefusesTooLongOnes) {
  auto done = exec(
      *box_, {"sh", "-c", "printf %s \"$1$2\" | wc -c", "sh", std::string(300000, 'x'), std::string(7000000, 'y')});
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, "7300000\n") << done->err;
  done = exec(*box_, {"echo", std::string(8400000, 'x')});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::too_big);
  EXPECT_EQ(done.error().to_string(),
            "sandbox: arguments and environment have 8400006 bytes together, and 8388608 are the most "
            "(argv); hand data over by standard input or in a file");
}

TEST_P(SandboxExec, ReadsItsInput) {
  command what;
  what.argv = {"sh", "-c", "wc -c"};
  stdio_options io;
  io.in = stdio_options::input::text;
  io.in_text = std::string(300000, 'x');
  auto done = exec(*box_, what, io);
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(done->out, "300000\n");

  what.argv = {"cat"};
  stdio_options piped;
  piped.in = stdio_options::input::pipe;
  auto running = loop_.run(box_->start(what, piped));
  ASSERT_TRUE(running) << running.error().to_string();
  EXPECT_TRUE(loop_.run((*running)->write("one\n")));
  EXPECT_TRUE(loop_.run((*running)->write("two\n")));
  (*running)->close_stdin();
  auto ended = loop_.run((*running)->wait());
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_TRUE(ended->success());
  EXPECT_EQ((*running)->output(output_stream::out), "one\ntwo\n");
}

TEST_P(SandboxExec, StreamsByLine) {
  command what;
  what.argv = {"sh", "-c", "for i in 1 2 3; do echo $i; done; echo e >&2"};
  std::vector<std::string> lines, errors;
  stdio_options io;
  io.on_line = [&](output_stream which, std::string_view line) {
    (which == output_stream::out ? lines : errors).emplace_back(line);
  };
  ASSERT_TRUE(exec(*box_, what, io));
  EXPECT_EQ(lines, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(errors, (std::vector<std::string>{"e"}));
}

TEST_P(SandboxExec, ATimeoutEndsTheCommandAndItsChildren) {
  command what;
  what.argv = {"sh", "-c", "echo started; sleep 4711 & sleep 4712; echo never"};
  auto done = exec(*box_, what, {}, deadline_after(seconds(2)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::timeout) << done.error().to_string();
  EXPECT_EQ(done.error().detail, "started\n");
  EXPECT_TRUE(comes_true("! pgrep -f 'sleep 471[12]'"));
}

TEST_P(SandboxExec, SignalsReachTheCommandInside) {
  command what;
  what.argv = {"sh", "-c", "trap 'echo got term; exit 7' TERM; echo ready; while :; do sleep 0.05; done"};
  auto running = loop_.run(box_->start(what, {}));
  ASSERT_TRUE(running) << running.error().to_string();
  for (int i = 0; i < 1200 && (*running)->output(output_stream::out) != "ready\n"; ++i) {
    loop_.run_for(std::chrono::milliseconds(50));
  }
  ASSERT_EQ((*running)->output(output_stream::out), "ready\n");
  EXPECT_GT((*running)->pid(), 1);
  EXPECT_FALSE((*running)->status());
  auto sent = loop_.run((*running)->signal(SIGTERM));
  EXPECT_TRUE(sent) << sent.error().to_string();
  auto ended = loop_.run((*running)->wait(deadline_after(seconds(60))));
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_EQ(ended->code, 7);
  EXPECT_EQ((*running)->output(output_stream::out), "ready\ngot term\n");
  auto late = loop_.run((*running)->signal(SIGTERM));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, errc::state);
}

TEST_P(SandboxExec, ASignalRightAfterTheStartIsNotLost) {
  command what;
  what.argv = {"sleep", "4713"};
  auto running = loop_.run(box_->start(what, {}));
  ASSERT_TRUE(running);
  auto sent = loop_.run((*running)->signal(SIGKILL));
  EXPECT_TRUE(sent) << sent.error().to_string();
  auto ended = loop_.run((*running)->wait(deadline_after(seconds(60))));
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_EQ(ended->shell_code(), 137);
}

TEST_P(SandboxExec, DestroyingACommandEndsIt) {
  command what;
  what.argv = {"sh", "-c", "sleep 4714 & sleep 4715"};
  auto running = loop_.run(box_->start(what, {}));
  ASSERT_TRUE(running);
  ASSERT_TRUE(comes_true("pgrep -f 'sleep 4715'"));
  running->reset();
  EXPECT_TRUE(comes_true("! pgrep -f 'sleep 471[45]'"));
}

TEST_P(SandboxExec, ManyAtOnce) {
  constexpr int many = 16;
  int left = many;
  std::string outputs[many];
  for (int i = 0; i < many; ++i) {
    command what;
    what.argv = {"sh", "-c", "echo " + std::to_string(i) + "; exit " + std::to_string(i)};
    boost::asio::co_spawn(loop_.context(), run_command(*box_, what),
                          [&, i](std::exception_ptr e, result<command_result> done) {
                            --left;
                            ASSERT_FALSE(e);
                            ASSERT_TRUE(done) << done.error().to_string();
                            EXPECT_EQ(done->status.code, i);
                            outputs[i] = done->out;
                          });
  }
  for (int i = 0; i < 12000 && left > 0; ++i) loop_.run_for(std::chrono::milliseconds(10));
  ASSERT_EQ(left, 0);
  for (int i = 0; i < many; ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
}

TEST_P(SandboxExec, DetachedGoesOnByItself) {
  command what;
  what.argv = {"sh", "-c", "echo begun; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo ended"};
  const std::string log = box_->record().daemon_log();
  auto pid = loop_.run(box_->start_detached(what, log));
  ASSERT_TRUE(pid) << pid.error().to_string();
  EXPECT_EQ(clients(), 0) << "nothing on the host waits for it: no process that would be left when the sandbox is";
  EXPECT_GT(*pid, 1);
  EXPECT_EQ(shell(*box_, "kill -0 " + std::to_string(*pid) + " && echo lives"), "lives");
  shell(*box_, "touch /tmp/go");
  std::string text;
  for (int i = 0; i < 1200 && text != "begun\nended\n"; ++i) {
    loop_.run_for(std::chrono::milliseconds(50));
    std::ostringstream all;
    all << std::ifstream(log).rdbuf();
    text = all.str();
  }
  EXPECT_EQ(text, "begun\nended\n");

  // The end of a long log is told.
  { std::ofstream(log, std::ios::app) << std::string(2u << 20, '.') << "last words\n"; }
  what.argv = {"/no/such/program"};
  auto none = loop_.run(box_->start_detached(what, log));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::process_exited) << none.error().to_string();
  EXPECT_NE(none.error().message.find("127"), std::string::npos) << none.error().to_string();
  EXPECT_NE(none.error().detail.find("last words"), std::string::npos) << none.error().detail;
}

TEST_P(SandboxExec, SaysWhenTheSandboxEndsMeanwhile) {
  command what;
  what.argv = {"sleep", "4716"};
  auto running = loop_.run(box_->start(what, {}));
  ASSERT_TRUE(running);
  ASSERT_TRUE(comes_true("pgrep -f 'sleep 4716'"));
  ASSERT_EQ(::kill(box_->record().sandbox_process.pid, SIGKILL), 0);
  auto done = loop_.run((*running)->wait(deadline_after(seconds(60))));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::sandbox_not_running) << done.error().to_string();
}

TEST_P(SandboxExec, WaitsWhileTheSandboxIsPausedAndNoneIsBegun) {
  const auto others = sandbox::attach(where_, box_->id());
  ASSERT_TRUE(others);
  auto running = loop_.run(box_->start({{"sh", "-c", "while :; do echo tick; sleep 0.01; done"}, {}, {}, {}}, {}));
  ASSERT_TRUE(running);
  const auto prints_more_than = [&](std::size_t size) {
    for (int i = 0; i < 1000 && (*running)->output(output_stream::out).size() <= size; ++i)
      loop_.run(berth::pause_for(milliseconds(20)));
    return (*running)->output(output_stream::out).size() > size;
  };
  ASSERT_TRUE(prints_more_than(0));
  for (int i = 0; i < 2; ++i) {  // again: nothing more
    const auto paused = loop_.run(box_->pause());
    ASSERT_TRUE(paused) << paused.error().to_string();
  }
  loop_.run(berth::pause_for(milliseconds(200)));  // what was on its way
  const std::string before = (*running)->output(output_stream::out);
  loop_.run(berth::pause_for(milliseconds(200)));
  EXPECT_EQ((*running)->output(output_stream::out), before);
  EXPECT_TRUE((*others)->is_paused());
  const auto state = loop_.run((*others)->state());
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, sandbox_state::paused);
  const auto refused = exec(**others, {"true"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::sandbox_not_running);
  EXPECT_EQ(refused.error().message, "the sandbox is paused");
  for (int i = 0; i < 2; ++i) {
    const auto resumed = loop_.run((*others)->resume());
    ASSERT_TRUE(resumed) << resumed.error().to_string();
  }
  EXPECT_FALSE(box_->is_paused());
  EXPECT_TRUE(prints_more_than(before.size()));
  const auto ran = exec(*box_, {"true"});
  EXPECT_TRUE(ran && ran->status.success());
}

TEST_P(SandboxExec, IsEndedWithAPausedSandbox) {
  const auto box = create(config(network_mode::none));
  box->use_runsc_exec(GetParam() == way::runsc_exec);
  ASSERT_TRUE(loop_.run(box->pause()));
  const auto stopped = loop_.run(box->stop(seconds(5)));
  EXPECT_TRUE(stopped) << stopped.error().to_string();
  EXPECT_FALSE(box->is_paused());
  terminate(*box);
  const auto other = create(config(network_mode::none));
  ASSERT_TRUE(loop_.run(other->pause()));
  terminate(*other);
  const auto gone = loop_.run(box->pause());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, errc::not_found) << gone.error().to_string();
}

TEST_P(SandboxExec, SaysThatTheSandboxWasKilledAtItsMemoryLimit) {
  sandbox_config small = config(network_mode::none);
  small.memory_bytes = 192u << 20;
  const auto box = create(small);
  box->use_runsc_exec(GetParam() == way::runsc_exec);
  EXPECT_EQ(box->why_ended(), exit_reason::none);
  auto done = exec(*box, {"tail", "/dev/zero"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::sandbox_not_running) << done.error().to_string();
  EXPECT_EQ(done.error().message, "the sandbox was killed at its memory limit of 192 MiB (out_of_memory)");
  EXPECT_EQ(box->why_ended(), exit_reason::out_of_memory);
  // To others, and to whoever comes later.
  auto found = sandbox::attach(where_, box->id());
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->why_ended(), exit_reason::out_of_memory);
  auto late = exec(**found, {"true"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, done.error().message);
  terminate(*box);

  // Killed otherwise, with a limit too: that is none of it.
  const auto other = create(small);
  ASSERT_EQ(::kill(other->record().sandbox_process.pid, SIGKILL), 0);
  ASSERT_TRUE(loop_.run(other->wait_stopped(deadline_after(seconds(60)))));
  EXPECT_EQ(other->why_ended(), exit_reason::ended);
  terminate(*other);
}

TEST_P(SandboxExec, RefusesAnEmptyCommand) {
  auto done = exec(*box_, std::vector<std::string>());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::invalid);
}

}  // namespace
