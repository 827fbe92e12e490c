// SPDX-License-Identifier: Apache-2.0
// Every verb with every option, word by word: tests/golden/runsc/NAME.json.
#include "../unit/runsc/texts.hpp"

#include <berth/runsc/args.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace berth {
namespace {

/// One word a line, so that a difference reads well.
std::string to_json(const std::vector<std::string>& argv) {
  std::string out = "[\n";
  for (std::size_t i = 0; i < argv.size(); ++i) {
    out += "  \"";
    for (char c : argv[i]) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += i + 1 < argv.size() ? "\",\n" : "\"\n";
  }
  return out + "]\n";
}

/// Compares. scripts/update-golden has the files written instead, and then the test fails all the same, so that nothing
/// passes by having been rewritten.
void expect_golden(const std::string& name, const result<runsc_argv>& argv) {
  ASSERT_TRUE(argv) << name << ": " << argv.error().to_string();
  const std::string path = std::string(BERTH_TEST_DATA) + "/golden/runsc/" + name + ".json";
  if (std::getenv("BERTH_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::trunc | std::ios::binary) << to_json(*argv);
    FAIL() << path << " was written: look at the difference, then run the test without BERTH_UPDATE_GOLDEN";
  }
  EXPECT_EQ(to_json(*argv), test::read_file(path)) << path;
}

class GoldenRunscArgs : public testing::Test {
 protected:
  GoldenRunscArgs() : binary(test::binary_of("20260701")) {
    globals.root = "/run/berth/r";
    globals.debug_log = "/run/berth/log";
  }

  /// All create options; the verbs add their own.
  static void fill(runsc_create_options& o) {
    o.bundle = "/run/berth/bundle";
    o.console_socket = "/run/berth/console.sock";
    o.pid_file = "/run/berth/pid";
    o.user_log = "/run/berth/user.log";
    o.fs_restore_image_path = "/var/lib/berth/fs";
    o.fs_restore_direct = true;
  }

  runsc_binary binary;
  runsc_globals globals;
};

TEST_F(GoldenRunscArgs, Globals) {
  globals.log = "/run/berth/runsc.json";
  globals.log_format = runsc_log_format::json;
  globals.debug = true;
  globals.platform = "systrap";
  globals.network = runsc_network::sandbox;
  globals.net_raw = true;
  globals.packet_socket_write = true;
  globals.host_uds = runsc_host_uds::create;
  globals.overlay2 = "root:dir=/var/lib/berth/overlay";
  globals.file_access = runsc_file_access::exclusive;
  globals.directfs = true;
  globals.dcache = -1;
  globals.fdlimit = 4096;
  globals.ignore_cgroups = false;
  globals.systemd_cgroup = false;
  globals.rootless = false;
  globals.oci_seccomp = true;
  globals.allow_suid = true;
  globals.gso = false;
  globals.software_gso = true;
  globals.allow_connected_on_save = true;
  globals.extra_args = {"--strace", "--watchdog-action=panic"};
  expect_golden("globals", runsc_globals_argv(binary, globals));
}

TEST_F(GoldenRunscArgs, DockerOnEachRelease) {
  globals.network = runsc_network::sandbox;
  globals.net_raw = true;
  globals.packet_socket_write = true;
  globals.host_uds = runsc_host_uds::create;
  runsc_run_options o;
  o.bundle = "/run/berth/bundle";
  o.detach = true;
  for (const char* release : {"20221219", "20240729", "20260701"})
    expect_golden(std::string("docker-") + release, runsc_run_argv(test::binary_of(release), globals, "box", o));
}

TEST_F(GoldenRunscArgs, Create) {
  runsc_create_options o;
  fill(o);
  expect_golden("create", runsc_create_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Run) {
  runsc_run_options o;
  fill(o);
  o.detach = true;
  o.pass_fds = {{3, 3}, {7, 4}};
  o.exec_fd = 9;
  expect_golden("run", runsc_run_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Restore) {
  runsc_restore_options o;
  fill(o);
  o.image_path = "/var/lib/berth/image";
  o.detach = true;
  o.background = true;
  o.direct = true;
  expect_golden("restore", runsc_restore_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Start) { expect_golden("start", runsc_start_argv(binary, globals, "box")); }
TEST_F(GoldenRunscArgs, State) { expect_golden("state", runsc_state_argv(binary, globals, "box")); }
TEST_F(GoldenRunscArgs, Pause) { expect_golden("pause", runsc_pause_argv(binary, globals, "box")); }
TEST_F(GoldenRunscArgs, Resume) { expect_golden("resume", runsc_resume_argv(binary, globals, "box")); }
TEST_F(GoldenRunscArgs, Ps) { expect_golden("ps", runsc_ps_argv(binary, globals, "box")); }

TEST_F(GoldenRunscArgs, Exec) {
  runsc_exec_options o;
  o.command = {"/bin/sh", "-c", "echo \"$A\"", "--detached=no"};
  o.cwd = "/srv";
  o.env = {"A=1", "B=two words"};
  o.user = "1000:100";
  o.additional_gids = {5, 6};
  o.caps = {"CAP_NET_RAW", "CAP_KILL"};
  o.console_socket = "/run/berth/console.sock";
  o.pid_file = "/run/berth/pid";
  o.internal_pid_file = "/run/berth/inner-pid";
  o.pass_fds = {{3, 3}};
  o.exec_fd = 9;
  expect_golden("exec", runsc_exec_argv(binary, globals, "box", o));
  o = {};
  o.process = "/run/berth/process.json";
  o.detach = true;
  o.pid_file = "/run/berth/pid";
  expect_golden("exec-process", runsc_exec_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Kill) {
  runsc_kill_options o;
  o.signal = 9;
  o.all = true;
  expect_golden("kill-all", runsc_kill_argv(binary, globals, "box", o));
  o.all = false;
  o.pid = 12;
  expect_golden("kill-pid", runsc_kill_argv(binary, globals, "box", o));
  o.pid.reset();
  o.pgid = 12;
  expect_golden("kill-pgid", runsc_kill_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Delete) {
  runsc_delete_options o;
  o.force = true;
  expect_golden("delete", runsc_delete_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, List) {
  runsc_list_options o;
  o.quiet = true;
  o.sandboxes_only = true;
  expect_golden("list", runsc_list_argv(binary, globals, o));
}

TEST_F(GoldenRunscArgs, Wait) {
  runsc_wait_options o;
  o.pid = 12;
  o.root_pid = 13;
  o.checkpoint = true;
  o.restore = true;
  expect_golden("wait", runsc_wait_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Checkpoint) {
  runsc_checkpoint_options o;
  o.image_path = "/var/lib/berth/image";
  o.leave_running = true;
  o.compression = runsc_compression::flate_best_speed;
  o.direct = true;
  o.exclude_committed_zero_pages = true;
  expect_golden("checkpoint", runsc_checkpoint_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, Events) {
  runsc_events_options o;
  o.stats = true;
  o.interval_seconds = 2;
  expect_golden("events", runsc_events_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, FsCheckpoint) {
  runsc_fscheckpoint_options o;
  o.image_path = "/var/lib/berth/image";
  o.path = "all-tmpfs";
  o.leave_running = true;
  o.direct = true;
  expect_golden("fscheckpoint", runsc_fscheckpoint_argv(binary, globals, "box", o));
}

TEST_F(GoldenRunscArgs, TarRootfsUpper) {
  expect_golden("tar-rootfs-upper",
                runsc_tar_rootfs_upper_argv(binary, globals, "box", {"/var/lib/berth/changes.tar"}));
}

}  // namespace
}  // namespace berth
