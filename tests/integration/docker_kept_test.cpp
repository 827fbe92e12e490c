// SPDX-License-Identifier: Apache-2.0
// A dockerd that the sandbox's guest keeps: started, seen, restarted and stopped with nobody on the host.
#include "support/docker_fixture.hpp"

#include <berth/docker/guest_daemon.hpp>
#include <berth/guest/channel.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace {

using namespace berth;
using std::string;

class KeptDocker : public berth_test::docker_test {
 protected:
  guest_daemon kept() { return guest_daemon(box_, where_.log); }
  result<void> start_kept() {
    auto daemon = kept();
    return loop_.run(daemon.start(options_), std::chrono::seconds(90));
  }
  void up_kept() {
    make();
    ASSERT_TRUE(box_);
    daemon_.reset();  // the fixture's own supervisor has nothing to do here
    const auto started = start_kept();
    ASSERT_TRUE(started) << started.error().to_string();
  }
  // The state that is reached, as the guest tells it.
  result<void> wait_for(daemon_state wanted, std::uint32_t restarts = 0) {
    auto daemon = kept();
    return loop_.run(
        daemon.watch(
            [=](const guest_status& now) { return now.docker.state != wanted || now.docker.restarts < restarts; },
            deadline_after(std::chrono::seconds(60))),
        std::chrono::seconds(70));
  }
  daemon_status written() {
    auto status = read_guest_status(box_->record());
    EXPECT_TRUE(status) << status.error().to_string();
    return status ? status->docker : daemon_status();
  }
};

TEST_F(KeptDocker, IsReadyAndAnyProcessMaySeeIt) {
  up_kept();
  if (HasFatalFailure()) return;
  EXPECT_TRUE(find_log("docker daemon is ready and accepting commands")) << logged();
  EXPECT_EQ(shell(*box_, "cat /proc/" + std::to_string(written().pid) + "/comm"), "dockerd");
  EXPECT_EQ(host_shell("curl -s --unix-socket " + box_->shared_path(docker_socket_name) + " http://d/_ping"), "OK");
  std::ifstream log(box_->shared_path(guest_daemon_log_name));
  std::stringstream text;
  text << log.rdbuf();
  EXPECT_NE(text.str().find("API listen on"), string::npos) << text.str();

  // Another process would do the same: nothing of the first handle is needed.
  auto again = sandbox::attach(where_, box_->id());
  ASSERT_TRUE(again) << again.error().to_string();
  guest_daemon other(*again);
  const auto ready = loop_.run(other.wait_ready(deadline_after(std::chrono::seconds(10))), std::chrono::seconds(20));
  EXPECT_TRUE(ready) << ready.error().to_string();
  EXPECT_EQ(written().state, daemon_state::ready);
  load_image();
  EXPECT_EQ(docker({"run", "--rm", image(), "echo", "hello"}), "hello");
  // Twice is once.
  const int pid = written().pid;
  EXPECT_TRUE(start_kept());
  EXPECT_EQ(written().pid, pid);
}

TEST_F(KeptDocker, ComesBackWhenItIsKilledWithNobodyOnTheHost) {
  make();
  ASSERT_TRUE(box_);
  daemon_.reset();
  options_.restart.what = restart_policy::kind::on_failure;
  const auto started = start_kept();
  ASSERT_TRUE(started) << started.error().to_string();
  const int first = written().pid;
  ASSERT_EQ(shell(*box_, "kill -9 " + std::to_string(first)), "");
  const auto back = wait_for(daemon_state::ready, 1);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_NE(written().pid, first);
  EXPECT_EQ(written().restarts, 1u);
  EXPECT_NE(docker({"version", "--format", "{{.Server.Version}}"}), "");
}

TEST_F(KeptDocker, TellsWhatHappenedSoFarAndAsItHappens) {
  make();
  ASSERT_TRUE(box_);
  daemon_.reset();
  options_.restart.what = restart_policy::kind::on_failure;
  const auto started = start_kept();
  ASSERT_TRUE(started) << started.error().to_string();
  load_image();
  docker_sandbox managed(where_, box_);
  const auto so_far = [&] {
    std::vector<sandbox_event> all;
    auto asking = managed.events([&all](const sandbox_event& event) { all.push_back(event); }, false,
                                 deadline_after(std::chrono::seconds(30)));
    const auto asked = loop_.run(std::move(asking), std::chrono::seconds(40));
    EXPECT_TRUE(asked) << asked.error().to_string();
    return all;
  };
  std::vector<sandbox_event> heard = so_far();
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].what, sandbox_event::kind::docker_ready);
  const string greedy = "yes 0123456789012345678901234567890123456789 | head -c 150m | sort > /dev/null";
  const string over = docker({"run", "-d", "--memory", "48m", image(), "sh", "-c", greedy});
  docker({"wait", over});
  ASSERT_EQ(shell(*box_, "kill -9 " + std::to_string(written().pid)), "");
  const auto back = wait_for(daemon_state::ready, 1);
  ASSERT_TRUE(back) << back.error().to_string();
  using kind = sandbox_event::kind;
  for (int i = 0; i < 100 && heard.size() < 4; ++i, ::usleep(100'000)) heard = so_far();
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[1].what, kind::container_out_of_memory);
  EXPECT_EQ(heard[1].container, over);
  EXPECT_EQ(heard[1].message, "container " + over + " was over its memory limit of 48 MiB and is killed");
  EXPECT_EQ(heard[2].what, kind::docker_ended);
  EXPECT_EQ(heard[3].what, kind::docker_ready);
  for (std::size_t i = 1; i < heard.size(); ++i) EXPECT_GE(heard[i].at_ms, heard[i - 1].at_ms);
  // As it comes, to the end of the sandbox.
  std::vector<kind> followed;
  auto following = managed.events(
      [&](const sandbox_event& event) {
        followed.push_back(event.what);
        // The connection brings the old ones first.
        if (followed.size() == 4)
          (void)::system(("kill -9 " + std::to_string(box_->record().sandbox_process.pid)).c_str());
      },
      true, deadline_after(std::chrono::seconds(60)));
  const auto ended = loop_.run(std::move(following), std::chrono::seconds(90));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, errc::sandbox_not_running) << ended.error().to_string();
  EXPECT_EQ(followed.size(), 4u);
}

TEST_F(KeptDocker, AFailureIsToldWithItsOutputAndHintToWhoeverAsksLater) {
  make();
  ASSERT_TRUE(box_);
  daemon_.reset();
  ASSERT_EQ(shell(*box_, "mkdir -p /etc/docker && echo '{ \"this is\": no JSON }' > /etc/docker/daemon.json"), "");
  const auto started = start_kept();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, errc::daemon_failed);
  auto daemon = kept();
  const auto later = loop_.run(daemon.wait_ready(deadline_after(std::chrono::seconds(10))), std::chrono::seconds(20));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().to_string(), started.error().to_string());
  const daemon_status now = written();
  EXPECT_EQ(now.state, daemon_state::failed);
  ASSERT_TRUE(now.failure);
  EXPECT_EQ(now.failure->hint_id, "BERTH-DAEMON-JSON");
  EXPECT_NE(now.failure->tail.find("daemon.json"), string::npos) << now.failure->tail;
  // Mended inside, it starts by the next call.
  ASSERT_EQ(shell(*box_, "rm /etc/docker/daemon.json"), "");
  const auto again = start_kept();
  EXPECT_TRUE(again) << again.error().to_string();
}

TEST_F(KeptDocker, StopsInOrderAndStartsAgain) {
  up_kept();
  if (HasFatalFailure()) return;
  load_image();
  ASSERT_NE(docker({"run", "-d", "--name", "long", image(), "sleep", "1000"}), "");
  auto daemon = kept();
  const auto stopped = loop_.run(daemon.stop(deadline_after(std::chrono::seconds(60))), std::chrono::seconds(70));
  ASSERT_TRUE(stopped) << stopped.error().to_string();
  EXPECT_EQ(written().state, daemon_state::stopped);
  const string left = "for at in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $at; echo; done 2>/dev/null";
  EXPECT_EQ(shell(*box_, left + " | grep -E '^(dockerd|containerd|sleep 1000)' || :"), "");
  const auto again = start_kept();
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(docker({"ps", "-a", "--format", "{{.Names}} {{.Status}}"}).rfind("long Exited", 0), 0u);
}

TEST_F(KeptDocker, IsStoppedWhereTheSandboxIsAndNotKeptWhereNobodyAskedForIt) {
  make();
  ASSERT_TRUE(box_);
  daemon_.reset();
  const auto nothing = read_guest_status(box_->record());
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, errc::not_found);
  auto daemon = kept();
  const auto never = loop_.run(daemon.wait_ready(deadline_after(std::chrono::seconds(10))), std::chrono::seconds(20));
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, errc::state);
  const auto stopped = loop_.run(daemon.stop(deadline_after(std::chrono::seconds(10))), std::chrono::seconds(20));
  EXPECT_TRUE(stopped);
  const auto started = start_kept();
  ASSERT_TRUE(started) << started.error().to_string();
  ASSERT_EQ(::kill(box_->record().sandbox_process.pid, SIGKILL), 0);
  ASSERT_TRUE(loop_.run(box_->wait_stopped()));
  EXPECT_EQ(written().state, daemon_state::stopped);
  const auto gone = loop_.run(daemon.wait_ready(deadline_after(std::chrono::seconds(10))), std::chrono::seconds(20));
  EXPECT_FALSE(gone);
}

TEST_F(KeptDocker, WhatASandboxPutsInPlaceOfItsStatusIsRefused) {
  make();
  ASSERT_TRUE(box_);
  daemon_.reset();
  const string name = "/run/berth/" + string(guest_status_name);
  const string lies[] = {
      "mkfifo " + name,
      "mkdir " + name,
      "ln -s /etc/passwd " + name,
      "ln -s /dev/zero " + name,
      "echo '{}' > " + name,
      "echo '{\"docker\": {}}' > " + name,
      "echo '{\"docker\": {\"state\": \"splendid\", \"pid\": 1, \"ready_after_ms\": 0, \"restarts\": 0}}' > " + name,
      "echo '{\"docker\": {\"state\": \"ready\", \"pid\": -1, \"ready_after_ms\": 0, \"restarts\": 0}}' > " + name,
      "head -c 100000 /dev/zero > " + name,
  };
  for (const string& lie : lies) {
    ASSERT_EQ(shell(*box_, lie), "");
    const auto status = read_guest_status(box_->record());
    EXPECT_FALSE(status) << lie;
    ASSERT_EQ(shell(*box_, "rm -rf " + name), "");
  }
}

}  // namespace
