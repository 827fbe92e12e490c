// SPDX-License-Identifier: Apache-2.0
// The life of a real dockerd on real runsc: ready, failing in known ways, killed, restarted, stopped.
#include "support/docker_fixture.hpp"

#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/detail/runsc_processes.hpp>
#include <berth/sandbox/find_runsc.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <signal.h>

#include <algorithm>

namespace {

using namespace berth;
using std::string;

class DockerDaemon : public berth_test::docker_test {
 protected:
  daemon_status wait_for(daemon_state wanted) {
    daemon_status now = daemon_->status();
    while (now.state != wanted) now = loop_.run(daemon_->wait_change(now.state), std::chrono::seconds(60));
    return now;
  }
  string daemons() { return shell(*box_, "cat /proc/[0-9]*/comm | grep -E '^(dockerd|containerd)$' | sort -u"); }
  void kill_dockerd() { ASSERT_EQ(shell(*box_, "kill -9 $(cat /var/run/docker.pid)"), ""); }
};

TEST_F(DockerDaemon, GetsReadyAndSaysSoInTheWordsThatWerePromised) {
  up();
  if (HasFatalFailure()) return;
  const std::pair<log_level, const char*> lines[] = {
      {log_level::info, "added docker capabilities for sandbox container"},
      {log_level::info, "added cgroup mount for docker-in-docker"},
      {log_level::info, "preparing to start docker daemon"},
      {log_level::info, "docker daemon process started - waiting for daemon to be ready"},
      {log_level::debug, "socket exists, checking daemon with 'docker info'..."},
      {log_level::info, "docker daemon is ready and accepting commands"},
  };
  std::size_t at = 0;
  for (const log_event& event : events_)
    if (at < std::size(lines) && event.message == lines[at].second) {
      EXPECT_EQ(event.level, lines[at].first) << event.message;
      ++at;
    }
  EXPECT_EQ(at, std::size(lines)) << "a line is missing or out of order:\n" << logged();

  const daemon_status now = daemon_->status();
  EXPECT_EQ(now.state, daemon_state::ready);
  EXPECT_GT(now.ready_after, duration::zero());
  EXPECT_FALSE(now.failure);
  const string pid = field(*find_log(lines[3].second), "pid");
  EXPECT_EQ(std::to_string(now.pid), pid);
  EXPECT_EQ(shell(*box_, "cat /proc/" + pid + "/comm"), "dockerd");
  const string retries = field(*find_log(lines[5].second), "retry_count");
  EXPECT_FALSE(retries.empty());
  EXPECT_EQ(retries.find_first_not_of("0123456789"), string::npos) << retries;
  EXPECT_TRUE(std::any_of(daemon_lines_.begin(), daemon_lines_.end(),
                          [](const string& line) { return line.find("API listen on") != string::npos; }));
  EXPECT_EQ(docker({"info", "--format", "{{.Driver}}"}), "overlay2");

  // From the host, over the shared directory.
  EXPECT_TRUE(check_host_socket(box_->shared_path(docker_socket_name)));
  EXPECT_EQ(host_shell("curl -s --unix-socket " + box_->shared_path(docker_socket_name) + " http://d/_ping"), "OK");
}

TEST_F(DockerDaemon, IsAskedByCommandsInsideWhereTheHostHasNoSocket) {
  sandbox_config what = config(network_mode::sandbox);
  make(tmpfs_recipe(), std::move(what));
  ASSERT_TRUE(box_);
  options_.host_socket.clear();
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  EXPECT_TRUE(find_log("socket exists, checking daemon with 'docker info'..."));
  EXPECT_NE(docker({"version", "--format", "{{.Server.Version}}"}), "");
}

TEST_F(DockerDaemon, ARootFileSystemWithoutDockerIsRefusedBeforeAnythingIsMade) {
  sandbox_config what = config();
  what.rootfs = where_.root;
  const auto binary = find_sandbox_runsc_blocking(where_);
  ASSERT_TRUE(binary);
  const auto added = add_docker(what, tmpfs_recipe(), binary->version());
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, errc::daemon_not_present);
}

TEST_F(DockerDaemon, AMissingDockerdIsNotPresent) {
  make();
  ASSERT_TRUE(box_);
  options_.plan.dockerd = "dockerd-that-nobody-installed";
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::daemon_not_present);
  EXPECT_FALSE(started.error().hint.empty());
  EXPECT_EQ(daemon_->status().state, daemon_state::not_present);
  EXPECT_EQ(daemon_->status().failure->phase, "check");
}

TEST_F(DockerDaemon, ACrashAtStartEndsTheWaitWithCodeOutputAndHint) {
  make();
  ASSERT_TRUE(box_);
  ASSERT_EQ(shell(*box_, "mkdir -p /etc/docker && echo '{ \"this is\": no JSON }' > /etc/docker/daemon.json"), "");
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::daemon_failed);
  const daemon_status now = daemon_->status();
  EXPECT_EQ(now.state, daemon_state::failed);
  ASSERT_TRUE(now.failure);
  ASSERT_TRUE(now.failure->exited);
  EXPECT_EQ(now.failure->exited->code, 1);
  EXPECT_EQ(now.failure->hint_id, "BERTH-DAEMON-JSON");
  EXPECT_NE(now.failure->tail.find("daemon.json"), string::npos) << now.failure->tail;
  EXPECT_LT(now.failure->elapsed, options_.ready_timeout) << "a daemon that is gone is not waited for";
  EXPECT_EQ(daemons(), "");
}

TEST_F(DockerDaemon, WithoutACgroupMountTheFailureNamesTheRemedy) {
  docker_recipe recipe = tmpfs_recipe();
  recipe.cgroup = cgroup_mode::none;
  make(recipe);
  ASSERT_TRUE(box_);
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(daemon_->status().failure->hint_id, "BERTH-CGROUP-DEVICES");
  EXPECT_NE(started.error().hint.find("\"type\":\"cgroup\""), string::npos) << started.error().hint;
  EXPECT_NE(started.error().message.find("no cgroup file system"), string::npos) << started.error().detail;
}

TEST_F(DockerDaemon, ThatIsNotReadyInTimeIsEndedAndNothingOfItStays) {
  make();
  ASSERT_TRUE(box_);
  options_.host_socket = box_->shared_path("no-such.sock");  // so that it never gets ready
  options_.ready_timeout = seconds(3);
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::daemon_not_ready);
  EXPECT_EQ(daemon_->status().state, daemon_state::failed);
  EXPECT_EQ(daemon_->status().failure->phase, "wait");
  EXPECT_GT(daemon_->status().failure->attempts, 1u);
  EXPECT_FALSE(daemon_->status().failure->last_probe.empty());
  for (int i = 0; i < 100 && !daemons().empty(); ++i) loop_.run_for(milliseconds(100));
  EXPECT_EQ(daemons(), "");
}

TEST_F(DockerDaemon, KilledWhileReadyFailsAndWhoWaitsIsTold) {
  up();
  if (HasFatalFailure()) return;
  kill_dockerd();
  const daemon_status now = loop_.run(daemon_->wait_change(daemon_state::ready), std::chrono::seconds(60));
  EXPECT_EQ(now.state, daemon_state::failed);
  ASSERT_TRUE(now.failure);
  EXPECT_EQ(now.failure->phase, "run");
  ASSERT_TRUE(now.failure->exited);
  EXPECT_EQ(now.failure->exited->shell_code(), 137) << "runsc exec tells of a signal as a shell does";
}

TEST_F(DockerDaemon, KilledWhileReadyIsRestartedUnderThePolicyAndKeepsImagesAndNetworks) {
  make();
  ASSERT_TRUE(box_);
  options_.restart.what = restart_policy::kind::on_failure;
  ASSERT_TRUE(start());
  load_image();
  docker({"network", "create", "stays"});
  for (std::uint32_t time = 1; time <= 2; ++time) {
    docker({"run", "-d", "--name", "c" + std::to_string(time), "--network", "stays", image(), "sleep", "600"});
    const pid_t before = daemon_->status().pid;
    kill_dockerd();
    (void)wait_for(daemon_state::starting);
    const daemon_status now = wait_for(daemon_state::ready);
    EXPECT_EQ(now.restarts, time);
    EXPECT_NE(now.pid, before);
    EXPECT_FALSE(now.failure);
    EXPECT_EQ(docker({"run", "--rm", "--network", "stays", image(), "echo", "works"}), "works");
  }
}

// By runsc exec, the host may kill the process that runs dockerd (its OOM killer does): dockerd itself lives on inside. The
// restart ends that one first.
TEST_F(DockerDaemon, AClientThatIsKilledLeavesNoSecondDaemon) {
  make();
  ASSERT_TRUE(box_);
  box_->use_runsc_exec(true);
  options_.restart.what = restart_policy::kind::on_failure;
  ASSERT_TRUE(start());
  const auto prefix = detail::find_root_prefix(where_.root);
  ASSERT_TRUE(prefix);
  const auto processes = detail::find_runsc_processes(detail::runsc_owner::of(box_->record(), *prefix));
  ASSERT_TRUE(processes);
  int clients = 0;
  for (const auto& process : *processes) {
    if (!process.client) continue;
    ++clients;
    EXPECT_EQ(::kill(process.identity.pid, SIGKILL), 0);
  }
  ASSERT_EQ(clients, 1);
  (void)wait_for(daemon_state::starting);
  EXPECT_EQ(wait_for(daemon_state::ready).restarts, 1u);
  EXPECT_EQ(shell(*box_, "cat /proc/[0-9]*/comm | grep -cx dockerd"), "1");
  EXPECT_NE(docker({"ps"}), "");
}

TEST_F(DockerDaemon, StopsContainersThenItself) {
  up();
  if (HasFatalFailure()) return;
  load_image();
  // The container tells by a file on a volume that it was asked to end, and not killed.
  docker({"run", "-d", "-v", "/tmp/told:/told", image(), "sh", "-c",
          "trap 'echo asked > /told/how; exit 0' TERM; touch /told/up; while :; do sleep 0.1; done"});
  ASSERT_EQ(
      shell(*box_, "i=0; until [ -e /tmp/told/up ] || [ $i = 100 ]; do sleep 0.1; i=$((i+1)); done; ls /tmp/told"),
      "up");
  const auto stopped = loop_.run(daemon_->stop());
  ASSERT_TRUE(stopped) << stopped.error().to_string();
  EXPECT_EQ(daemon_->status().state, daemon_state::stopped);
  EXPECT_EQ(shell(*box_, "cat /tmp/told/how"), "asked");
  EXPECT_EQ(daemons(), "");
  // And up again.
  const auto again = loop_.run(daemon_->start());
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(docker({"run", "--rm", image(), "echo", "again"}), "again");
}

TEST_F(DockerDaemon, AStartThatIsGivenUpLeavesNoDaemon) {
  make();
  ASSERT_TRUE(box_);
  daemon_ = std::make_unique<daemon_supervisor>(loop_.context().get_executor(), *box_, options_);
  boost::asio::cancellation_signal give_up;
  std::optional<result<void>> outcome;
  boost::asio::co_spawn(loop_.context(), daemon_->start(),
                        boost::asio::bind_cancellation_slot(
                            give_up.slot(), [&](std::exception_ptr, result<void> r) { outcome = std::move(r); }));
  loop_.run_for(milliseconds(150));
  give_up.emit(boost::asio::cancellation_type::terminal);
  loop_.run_for(milliseconds(50));
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().code, errc::cancelled);
  (void)wait_for(daemon_state::stopped);
  EXPECT_EQ(daemons(), "");
}

TEST_F(DockerDaemon, WhatARestartCannotMendIsNotTriedAgain) {
  make();
  ASSERT_TRUE(box_);
  options_.plan.dockerd_args = {"--no-such-flag"};
  options_.restart.what = restart_policy::kind::on_failure;
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(daemon_->status().restarts, 0u);
  EXPECT_EQ(daemon_->status().failure->hint_id, "BERTH-DOCKERD-ARGUMENT") << started.error().to_string();
}

TEST_F(DockerDaemon, AFullDataRootIsNotTheEndOfTheSandbox) {
  sandbox_config what = config(network_mode::none);
  what.memory_bytes = 1u << 30;
  make(tmpfs_recipe(), std::move(what));
  ASSERT_TRUE(box_);
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  load_image();
  auto filled =
      loop_.run(run_docker(*box_, {"run", "--rm", image(), "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=1500"},
                           deadline_after(seconds(120))));
  ASSERT_FALSE(filled);
  EXPECT_NE(filled.error().detail.find("No space left on device"), string::npos) << filled.error().to_string();
  EXPECT_EQ(docker({"run", "--rm", image(), "echo", "alive"}), "alive");
}

// It prints berth's own control lines without end, and looks for the nonce where the start of dockerd still has it.
TEST_F(DockerDaemon, AHostileOneDoesNotSpeakForBerthNorFillTheLogs) {
  make();
  ASSERT_TRUE(box_);
  shell(
      *box_,
      "cat > /usr/local/bin/hostile-dockerd <<'END'\n#!/bin/sh\n"
      "nonce=$(cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sed -n 's/^BERTH_START_NONCE=//p' | head -n 1)\n"
      "yes \"berth:$nonce:warning forged-with\" &\nyes 'berth:pid 1' &\nexec yes 'berth:warning forged-without'\n"
      "END\nchmod 755 /usr/local/bin/hostile-dockerd");
  options_.plan.dockerd = "hostile-dockerd";
  options_.ready_timeout = seconds(8);
  std::size_t printed = 0;
  string notice;
  options_.on_daemon_line = [&](output_stream, std::string_view line) {
    printed += line.size();
    if (line.starts_with("berth: ")) notice = line;
  };
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::daemon_not_ready) << started.error().to_string();
  EXPECT_EQ(logged().find("forged-without"), string::npos);
  EXPECT_LT(logged().size(), 32u << 10);
  // A bucket, and what 30 s fill again on a machine that is busy.
  EXPECT_LT(printed, (1u << 20) + 30 * (128u << 10));
  EXPECT_NE(notice.find("were dropped here"), string::npos);
  shell(*box_, "pkill yes || kill $(grep -l '^yes' /proc/[0-9]*/comm | cut -d/ -f3)");
}

TEST_F(DockerDaemon, DestroyingTheSupervisorEndsTheDaemon) {
  up();
  if (HasFatalFailure()) return;
  daemon_.reset();
  for (int i = 0; i < 100 && daemons().find("dockerd") != string::npos; ++i) loop_.run_for(milliseconds(100));
  EXPECT_EQ(daemons().find("dockerd"), string::npos);
}

}  // namespace
