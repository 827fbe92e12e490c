// SPDX-License-Identifier: Apache-2.0
// Against a real runsc, named by BERTH_RUNSC: it has every option that berth can emit, and its answers are read.
#include <berth/runsc/args.hpp>
#include <berth/runsc/probe.hpp>
#include <berth/runsc/state.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace berth {
namespace {

/// The test's own runner, apart from the process layer: the shell.
result<std::string> run(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) line += "'" + word + "' ";  // no word of these tests holds a quote
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((line + "2>&1 </dev/null").c_str(), "re"), ::pclose);
  if (!pipe) return make_error(errc::spawn_failed, "test", "popen");
  std::string out;
  std::array<char, 4096> block;
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), pipe.get())) out.append(block.data(), n);
  const int status = ::pclose(pipe.release());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return make_error(errc::runsc_failed, "test", line + "failed: " + out);
  return out;
}

class RealRunsc : public testing::Test {
 protected:
  void SetUp() override {
    const char* const path = std::getenv("BERTH_RUNSC");
    ASSERT_TRUE(path != nullptr && *path != '\0') << "BERTH_RUNSC must name the runsc to test with";
    char name[] = "/tmp/berth-runsc-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir = name;
    auto probed = probe_runsc(path, run, dir + "/cache");
    ASSERT_TRUE(probed) << probed.error().to_string();
    binary = std::make_unique<runsc_binary>(*probed);
    globals.root = dir;
    globals.debug_log = dir;
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  /// runsc reads the options of a verb before it looks for the container, so a wrong one shows without any sandbox.
  void expect_options_taken(const result<runsc_argv>& argv) {
    ASSERT_TRUE(argv) << argv.error().to_string();
    const auto printed = run(*argv);
    const std::string text = printed ? *printed : printed.error().message;
    for (const char* complaint : {"not defined", "invalid value", "invalid boolean", "failed to parse flags",
                                  "Usage: runsc <flags>", "flag needs an argument", "not understood"})
      EXPECT_EQ(text.find(complaint), std::string::npos) << text;
  }

  std::string dir;
  std::unique_ptr<runsc_binary> binary;
  runsc_globals globals;
};

TEST_F(RealRunsc, IsReadAsItIs) {
  EXPECT_TRUE(binary->version().known()) << binary->version().text;
  for (const char* flag :
       {"root",           "debug-log",      "log",      "log-format",  "debug",    "platform",    "network",
        "net-raw",        "host-uds",       "overlay2", "file-access", "directfs", "dcache",      "fdlimit",
        "ignore-cgroups", "systemd-cgroup", "rootless", "oci-seccomp", "gso",      "software-gso"})
    EXPECT_TRUE(binary->has(flag)) << flag;
  EXPECT_FALSE(binary->packet_write_flag().empty());
  for (const char* verb : {"run", "create", "start", "exec", "kill", "delete", "state", "list", "wait", "pause",
                           "resume", "checkpoint", "restore", "events", "ps"})
    EXPECT_TRUE(binary->has_verb(verb)) << verb;
}

TEST_F(RealRunsc, TakesEveryGlobalOption) {
  globals.log = dir + "/runsc.json";
  globals.log_format = runsc_log_format::json;
  globals.debug = true;
  globals.platform = "systrap";
  globals.network = runsc_network::none;
  globals.net_raw = true;
  globals.packet_socket_write = true;
  globals.host_uds = runsc_host_uds::create;
  globals.overlay2 = "root:self";
  globals.file_access = runsc_file_access::exclusive;
  globals.directfs = true;
  globals.dcache = -1;
  globals.fdlimit = 4096;
  globals.ignore_cgroups = true;
  globals.systemd_cgroup = false;
  globals.rootless = false;
  globals.oci_seccomp = true;
  globals.gso = true;
  globals.software_gso = true;
  if (binary->has("allow-suid")) globals.allow_suid = true;
  if (binary->has("allow-connected-on-save")) globals.allow_connected_on_save = true;
  if (binary->has("mount-cgroup-v2")) globals.mount_cgroup_v2 = false;
  const auto argv = runsc_list_argv(*binary, globals);
  ASSERT_TRUE(argv) << argv.error().to_string();
  const auto printed = run(*argv);
  ASSERT_TRUE(printed) << printed.error().to_string();
  // Before it, warnings of options that are deprecated.
  const auto list = parse_runsc_list(printed->substr(printed->rfind('\n', printed->size() - 2) + 1));
  ASSERT_TRUE(list) << list.error().to_string() << *printed;
  EXPECT_TRUE(list->empty());
}

TEST_F(RealRunsc, TakesEachValueOfItsEnumerations) {
  for (runsc_network n : {runsc_network::sandbox, runsc_network::none, runsc_network::host}) {
    globals.network = n;
    expect_options_taken(runsc_list_argv(*binary, globals));
  }
  for (runsc_host_uds u : {runsc_host_uds::none, runsc_host_uds::open, runsc_host_uds::create, runsc_host_uds::all}) {
    globals.host_uds = u;
    expect_options_taken(runsc_list_argv(*binary, globals));
  }
  for (runsc_log_format f : {runsc_log_format::text, runsc_log_format::json, runsc_log_format::json_k8s}) {
    globals.log_format = f;
    expect_options_taken(runsc_list_argv(*binary, globals));
  }
  for (runsc_file_access a : {runsc_file_access::exclusive, runsc_file_access::shared}) {
    globals.file_access = a;
    expect_options_taken(runsc_list_argv(*binary, globals));
  }
  for (const char* overlay : {"none", "root:self", "root:memory", "all:memory", "root:dir=/tmp"}) {
    globals.overlay2 = overlay;
    expect_options_taken(runsc_list_argv(*binary, globals));
  }
}

TEST_F(RealRunsc, TakesEveryOptionOfEveryVerb) {
  const std::string nothing = dir + "/no-such-bundle";
  const auto fill = [&](runsc_create_options& o) {
    o.bundle = nothing;
    o.console_socket = dir + "/console.sock";
    o.pid_file = dir + "/pid";
    o.user_log = dir + "/user.log";
    if (binary->has("create", "fs-restore-image-path")) {
      o.fs_restore_image_path = dir + "/fs";
      o.fs_restore_direct = true;
    }
  };
  runsc_create_options create;
  fill(create);
  expect_options_taken(runsc_create_argv(*binary, globals, "none", create));
  runsc_run_options run_options;
  fill(run_options);
  run_options.detach = true;
  run_options.pass_fds = {{0, 9}};
  run_options.exec_fd = 0;
  expect_options_taken(runsc_run_argv(*binary, globals, "none", run_options));
  runsc_restore_options restore;
  fill(restore);
  restore.image_path = dir + "/image";
  restore.detach = true;
  restore.direct = true;
  restore.background = binary->has("restore", "background");
  expect_options_taken(runsc_restore_argv(*binary, globals, "none", restore));
  runsc_exec_options exec;
  exec.command = {"/bin/true"};
  exec.cwd = "/";
  exec.env = {"A=1"};
  exec.user = "0:0";
  exec.additional_gids = {5};
  exec.caps = {"CAP_KILL"};
  exec.console_socket = dir + "/console.sock";
  exec.pid_file = dir + "/pid";
  exec.internal_pid_file = dir + "/inner-pid";
  exec.detach = true;
  exec.pass_fds = {{0, 9}};
  exec.exec_fd = 0;
  expect_options_taken(runsc_exec_argv(*binary, globals, "none", exec));
  exec = {};
  exec.process = dir + "/process.json";
  expect_options_taken(runsc_exec_argv(*binary, globals, "none", exec));
  runsc_kill_options kill;
  kill.all = true;
  expect_options_taken(runsc_kill_argv(*binary, globals, "none", kill));
  kill.all = false;
  kill.pid = 1;
  expect_options_taken(runsc_kill_argv(*binary, globals, "none", kill));
  if (binary->has("kill", "pgid")) {
    kill.pid.reset();
    kill.pgid = 1;
    expect_options_taken(runsc_kill_argv(*binary, globals, "none", kill));
  }
  runsc_delete_options remove;
  remove.force = true;
  expect_options_taken(runsc_delete_argv(*binary, globals, "none", remove));
  runsc_list_options list;
  list.quiet = true;
  list.sandboxes_only = true;
  expect_options_taken(runsc_list_argv(*binary, globals, list));
  runsc_wait_options wait;
  wait.pid = 1;
  wait.root_pid = 1;
  wait.checkpoint = binary->version().at_least(20250106);  // before, it was a number
  wait.restore = binary->has("wait", "restore");
  expect_options_taken(runsc_wait_argv(*binary, globals, "none", wait));
  runsc_checkpoint_options checkpoint;
  checkpoint.image_path = dir + "/image";
  checkpoint.leave_running = true;
  checkpoint.direct = true;
  checkpoint.exclude_committed_zero_pages = true;
  for (runsc_compression c : {runsc_compression::none, runsc_compression::flate_best_speed}) {
    checkpoint.compression = c;
    expect_options_taken(runsc_checkpoint_argv(*binary, globals, "none", checkpoint));
  }
  runsc_events_options events;
  events.stats = true;
  events.interval_seconds = 1;
  expect_options_taken(runsc_events_argv(*binary, globals, "none", events));
  if (binary->has_verb("fscheckpoint")) {
    runsc_fscheckpoint_options save;
    save.image_path = dir + "/image";
    save.path = "/";
    save.leave_running = true;
    save.direct = true;
    expect_options_taken(runsc_fscheckpoint_argv(*binary, globals, "none", save));
  }
  for (const auto& argv : {runsc_start_argv(*binary, globals, "none"), runsc_state_argv(*binary, globals, "none"),
                           runsc_pause_argv(*binary, globals, "none"), runsc_resume_argv(*binary, globals, "none"),
                           runsc_ps_argv(*binary, globals, "none")})
    expect_options_taken(argv);
}

TEST_F(RealRunsc, AWrongOptionWouldBeSeen) {
  // That the check above can fail: the option is put in behind berth's back.
  auto argv = runsc_state_argv(*binary, globals, "none");
  ASSERT_TRUE(argv);
  argv->insert(argv->begin() + 1, "--no-such-option=1");
  const auto printed = run(*argv);
  ASSERT_FALSE(printed);
  EXPECT_NE(printed.error().message.find("not defined"), std::string::npos) << printed.error().message;
}

}  // namespace
}  // namespace berth
