// SPDX-License-Identifier: Apache-2.0
#include "texts.hpp"

#include <berth/runsc/args.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

class RunscArgs : public testing::Test {
 protected:
  RunscArgs() {
    globals.root = "/run/b/r";
    globals.debug_log = "/run/b/l";
    run.bundle = "/run/b/bundle";
    exec.command = {"/bin/true"};
  }

  template <class T>
  static void refused(const result<T>& r, errc code, std::string_view part) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().code, code) << r.error().to_string();
    EXPECT_NE(r.error().to_string().find(part), std::string::npos) << r.error().to_string();
  }

  const runsc_binary binary = test::binary_of("20260701");
  const runsc_binary old = test::binary_of("20240729");
  runsc_globals globals;
  runsc_run_options run;
  runsc_exec_options exec;
};

using argv_type = std::vector<std::string>;

TEST_F(RunscArgs, TheSmallestRun) {
  EXPECT_EQ(runsc_run_argv(binary, globals, "a", run).value(),
            (argv_type{"/usr/local/bin/runsc", "--root=/run/b/r", "--debug-log=/run/b/l/", "run",
                       "--bundle=/run/b/bundle", "a"}));
}

TEST_F(RunscArgs, TheDebugLogIsNeededWhereProcessesStartAndEndsInASlash) {
  globals.debug_log = "/run/b/l/";
  EXPECT_EQ(runsc_run_argv(binary, globals, "a", run).value()[2], "--debug-log=/run/b/l/");
  globals.debug_log.clear();
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "--debug-log is needed");
  refused(runsc_create_argv(binary, globals, "a", run), errc::invalid, "--debug-log is needed");
  runsc_restore_options restore;
  restore.bundle = "/b";
  restore.image_path = "/i";
  refused(runsc_restore_argv(binary, globals, "a", restore), errc::invalid, "--debug-log is needed");
  EXPECT_EQ(runsc_state_argv(binary, globals, "a").value(),
            (argv_type{"/usr/local/bin/runsc", "--root=/run/b/r", "state", "a"}));
}

TEST_F(RunscArgs, ThePacketWriteFlagComesUnderTheNameThatTheBinaryHas) {
  globals.packet_socket_write = true;
  EXPECT_EQ(runsc_run_argv(binary, globals, "a", run).value()[3], "--allow-packet-socket-write");
  EXPECT_EQ(runsc_run_argv(old, globals, "a", run).value()[3], "--TESTONLY-allow-packet-endpoint-write");
  runsc_texts texts = test::texts_of("20260701");
  texts.flags = "  -root string\n    \tx\n  -debug-log string\n    \tx\n";
  texts.version = "runsc version release-20210101.0\n";
  refused(runsc_run_argv(runsc_binary::from_text("/r", texts).value(), globals, "a", run), errc::runsc_flag_unsupported,
          "--allow-packet-socket-write needs release-20251208.0");
}

TEST_F(RunscArgs, AnOptionThatTheBinaryLacksIsRefusedAndNotPassedOn) {
  globals.allow_connected_on_save = true;
  refused(runsc_run_argv(old, globals, "a", run), errc::runsc_flag_unsupported, "release-20260520.0");
  globals.allow_connected_on_save.reset();
  run.fs_restore_image_path = "/i";
  refused(runsc_run_argv(old, globals, "a", run), errc::runsc_flag_unsupported, "release-20260323.0");
  globals.mount_cgroup_v2 = true;
  refused(runsc_run_argv(binary, globals, "a", run), errc::runsc_flag_unsupported, "release-20260706.0");
  runsc_fscheckpoint_options save;
  save.image_path = "/i";
  globals.mount_cgroup_v2.reset();
  refused(runsc_fscheckpoint_argv(old, globals, "a", save), errc::runsc_flag_unsupported, "`runsc fscheckpoint` needs");
}

TEST_F(RunscArgs, ExtraArgumentsAreCheckedLikeOurOwn) {
  globals.extra_args = {"--strace", "--watchdog-action=panic", "-debug"};
  run.extra_args = {"--user-log=/x"};
  const argv_type expected = {"/usr/local/bin/runsc",
                              "--root=/run/b/r",
                              "--debug-log=/run/b/l/",
                              "--strace",
                              "--watchdog-action=panic",
                              "--debug",
                              "run",
                              "--bundle=/run/b/bundle",
                              "--user-log=/x",
                              "a"};
  EXPECT_EQ(runsc_run_argv(binary, globals, "a", run).value(), expected);
  for (const char* bad : {"strace", "", "-", "--", "--=x", "a b"}) {
    globals.extra_args = {bad};
    refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "extra argument");
  }
  globals.extra_args = {"--root=/elsewhere"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "repeats");
  globals.extra_args = {"-debug-log=/elsewhere"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "repeats");
  globals.extra_args = {"--no-such-option=1"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::runsc_flag_unsupported, "no --no-such-option");
  globals.extra_args = {"--cgroupfs"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::runsc_flag_unsupported, "gone since");
  globals.extra_args.clear();
  run.extra_args = {"--bundle=/elsewhere"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "repeats");
  run.extra_args = {"--no-such-option=1"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::runsc_flag_unsupported, "of `runsc run`");
}

TEST_F(RunscArgs, ASwitchThatOnceTookAValueIsRefusedThere) {
  // On Debian's 20240729, `runsc wait --checkpoint ID` takes the id for a number.
  runsc_wait_options wait;
  wait.checkpoint = true;
  EXPECT_TRUE(runsc_wait_argv(binary, globals, "a", wait));
  refused(runsc_wait_argv(old, globals, "a", wait), errc::runsc_flag_unsupported, "needs release-20250106.0");
  globals.extra_args = {"--platform"};
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "needs its value");
}

TEST_F(RunscArgs, AnExtraOptionMayComeSeveralTimesByItself) {
  exec.extra_args = {"--env=A=1", "--env=B=2"};
  EXPECT_TRUE(runsc_exec_argv(binary, globals, "a", exec));
}

TEST_F(RunscArgs, PathsAreAbsolute) {
  run.bundle = "bundle";
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "absolute");
  run.bundle.clear();
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "--bundle is needed");
  globals.root.clear();
  refused(runsc_list_argv(binary, globals), errc::invalid, "--root is needed");
  globals.root = "r";
  refused(runsc_list_argv(binary, globals), errc::invalid, "absolute");
}

TEST_F(RunscArgs, IdsAndNulsAreRefused) {
  for (const char* id : {"", "-a", ".a", "a/b", "a b"})
    refused(runsc_state_argv(binary, globals, id), errc::spec_id, "");
  run.bundle = std::string("/a\0b", 4);
  refused(runsc_run_argv(binary, globals, "a", run), errc::invalid, "NUL");
  exec.command = {std::string("a\0b", 3)};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "NUL");
}

TEST_F(RunscArgs, ExecPassesTheCommandOnUntouched) {
  exec.command = {"sh", "-c", "exit 3", "--env=x", "", "-detach"};
  const argv_type argv = runsc_exec_argv(binary, globals, "a", exec).value();
  EXPECT_EQ(argv_type(argv.end() - 7, argv.end()), (argv_type{"a", "sh", "-c", "exit 3", "--env=x", "", "-detach"}));
}

TEST_F(RunscArgs, ExecChecksItsFields) {
  exec.command.clear();
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "command");
  exec.process = "/p.json";
  EXPECT_TRUE(runsc_exec_argv(binary, globals, "a", exec));
  exec.cwd = "/x";
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "process file");
  exec = {};
  exec.command = {"x"};
  exec.env = {"A"};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "K=V");
  exec.env = {"=A"};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "K=V");
  exec.env = {"A="};
  exec.user = "nobody";
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "numbers");
  exec.user = "1000:100";
  EXPECT_TRUE(runsc_exec_argv(binary, globals, "a", exec));
  exec.pass_fds = {{3, -1}};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::invalid, "--pass-fd");
}

TEST_F(RunscArgs, DetachedExecRefusesWhatRunscWouldDrop) {
  // Seen on release-20260701.0: `runsc exec --detach … sh -c 'echo "$@"' sh a --detach b` printed "a b".
  exec.detach = true;
  EXPECT_TRUE(runsc_exec_argv(binary, globals, "a", exec));
  exec.command = {"docker", "run", "--detach", "x"};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::unsupported, "drops every argument");
  exec.command = {"sh", "-c", "semidetached"};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::unsupported, "semidetached");
  exec.command = {"true"};
  exec.env = {"X=detach"};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::unsupported, "X=detach");
  exec.env.clear();
  globals.root = "/run/detached";
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::unsupported, "/run/detached");
  globals.root = "/r";
  refused(runsc_exec_argv(binary, globals, "detach", exec), errc::unsupported, "drops");
  exec.command = {"docker", "exec", "x"};
  refused(runsc_exec_argv(binary, globals, "a", exec), errc::unsupported, "pid file");
  exec.pid_file = "/run/b/pid";
  EXPECT_TRUE(runsc_exec_argv(binary, globals, "a", exec));
  exec.detach = false;
  exec.command = {"docker", "run", "--detach", "x"};
  EXPECT_TRUE(runsc_exec_argv(binary, globals, "a", exec));
}

TEST_F(RunscArgs, KillTakesOneTargetAndANamedSignal) {
  runsc_kill_options kill;
  kill.pid = 5;
  EXPECT_EQ(runsc_kill_argv(binary, globals, "a", kill).value().back(), "15");
  kill.all = true;
  refused(runsc_kill_argv(binary, globals, "a", kill), errc::invalid, "one of");
  for (int signal : {0, -1, 32, 34, 64}) {
    kill = {};
    kill.signal = signal;
    refused(runsc_kill_argv(binary, globals, "a", kill), errc::invalid, "1 to 31");
  }
  for (int pid : {0, -1}) {
    kill = {};
    kill.pid = pid;
    refused(runsc_kill_argv(binary, globals, "a", kill), errc::invalid, "positive");
    kill = {};
    kill.pgid = pid;
    refused(runsc_kill_argv(binary, globals, "a", kill), errc::invalid, "positive");
  }
}

TEST_F(RunscArgs, SwitchesWithADefaultCanBeTurnedOff) {
  globals.directfs = false;
  globals.gso = true;
  const argv_type argv = runsc_globals_argv(binary, globals).value();
  EXPECT_EQ(argv_type(argv.begin() + 3, argv.end()), (argv_type{"--directfs=false", "--gso"}));
}

}  // namespace
}  // namespace berth
