// SPDX-License-Identifier: Apache-2.0
// `berth hibernate` and `--hibernate`: a sandbox that sleeps on the disk, and goes on from there by its next use.
#include "support/command_fixture.hpp"
#include "support/host_shell.hpp"

#include <berth/readiness/guarded_socket.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace berth_test {
namespace {

namespace fs = std::filesystem;

class CommandHibernate : public command_test {
 protected:
  std::string told(const std::vector<std::string>& what) {
    return parsed_json(must({"status", "box", "--json"})).at(what);
  }
  std::string state() { return told({"state"}); }
  bool becomes(const std::string& word) {
    return eventually([&] { return state() == word; });
  }
  std::string image() const { return root_ + "/box/hibernated/image/checkpoint.img"; }
  std::string inside(const std::string& script) { return must({"exec", "box", "--", "sh", "-c", script}); }
  /// Whether a process of runsc's is there for it.
  bool something_runs() const {
    for (const auto& process : fs::directory_iterator("/proc")) {
      std::stringstream words;
      words << std::ifstream(process.path() / "cmdline").rdbuf();
      if (words.str().find(root_ + "/box/run") != std::string::npos) return true;
    }
    return false;
  }
  /// What Docker answers a client of its socket on the host.
  std::string ping() const {
    const auto connection = berth::connect_guarded(root_ + "/box/shared/docker.sock");
    if (!connection) return connection.error().to_string();
    const std::string question = "GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n";
    if (::send(connection->get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return "not sent";
    pollfd ready{connection->get(), POLLIN, 0};
    if (::poll(&ready, 1, 120'000) <= 0) return "no answer";
    char text[4096];
    const ssize_t n = ::recv(connection->get(), text, sizeof text, 0);
    return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0).substr(0, 15);
  }
};

TEST_F(CommandHibernate, ItIsTheSameSandboxAfterwards) {
  must({"run", "-d", "--id", "box", "--rootfs", rootfs_, "--docker", "--wait", "--runsc", runsc_, "--memory", "2Gi"});
  load_image("box");
  must({"docker", "box", "--", "run", "-d", "--name", "one", image_name_, "sleep", "1000"});
  const std::string own = inside("cat /etc/machine-id /etc/hostname; ip -o -4 addr; echo kept > /root/kept");
  const std::string address = told({"network", "address"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(must({"hibernate", "box"}), "box");
    EXPECT_EQ(state(), "hibernated");
    EXPECT_EQ(told({"docker", "state"}), "ready");
    EXPECT_EQ(told({"exit_reason"}), "");
    EXPECT_EQ(told({"pid"}), "0");
    EXPECT_FALSE(something_runs());
    EXPECT_TRUE(fs::exists(image()));
    EXPECT_EQ(must({"hibernate", "box"}), "box");  // again changes nothing
    EXPECT_EQ(must({"gc"}), "");
    EXPECT_EQ(must({"doctor", "box"}).find("BERTH-"), std::string::npos);
    EXPECT_EQ(state(), "hibernated") << "a look has woken it";
    const auto now = [&] { return inside("cat /etc/machine-id /etc/hostname; ip -o -4 addr; true"); };
    EXPECT_TRUE(eventually([&] { return now() == own; })) << now() << "\n" << own;  // docker0's comes beside its waking
    EXPECT_EQ(inside("cat /root/kept"), "kept");
    EXPECT_EQ(state(), "running");
    EXPECT_EQ(told({"network", "address"}), address);
    EXPECT_FALSE(fs::exists(root_ + "/box/hibernated"));
    EXPECT_EQ(must({"docker", "box", "--", "inspect", "-f", "{{.State.Running}}", "one"}), "true");
    EXPECT_EQ(must({"docker", "box", "--", "run", "--rm", image_name_, "echo", "on"}), "on");
  }
  for (int round = 0; round < 3; ++round) {  // several who want it to sleep, and some who use it
    std::vector<std::unique_ptr<started_command>> many;
    for (int i = 0; i < 4; ++i) many.push_back(start({"hibernate", "box"}));
    for (int i = 0; i < 2; ++i) many.push_back(start({"exec", "box", "--", "echo", "on"}));
    for (std::size_t i = 0; i < many.size(); ++i) {
      const command_output got = many[i]->finish();
      // A command that runs is not cut off; one that is asked for in the very moment of it is told so.
      EXPECT_TRUE(got.code == 0 || got.err.find("the sandbox's guest") != std::string::npos) << got.err;
      EXPECT_EQ(got.out, got.code != 0 ? "" : i < 4 ? "box\n" : "on\n") << got.err;
    }
    EXPECT_EQ(inside("cat /root/kept"), "kept");
  }
  must({"hibernate", "box"});
  must({"resume", "box"});
  EXPECT_EQ(state(), "running");
  must({"hibernate", "box"});
  must({"snapshot", "box", "saved"});
  must({"snapshot", "rm", "saved"});
  fs::remove(root_ + "/.snapshots");
  must({"hibernate", "box"});
  EXPECT_EQ(run({"pause", "box"}).code, 1);
  EXPECT_EQ(must({"rm", "-f", "box"}), "box");
  EXPECT_EQ(left_now(), "");
}

TEST_F(CommandHibernate, WhoIsIdleSleepsOnTheDiskAndEveryUseBringsItBack) {
  must(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1", "--hibernate"}));
  const auto follower = start({"events", "-f", "box"});
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { EXPECT_EQ(inside("echo on"), "on"); },
           [&] {
             EXPECT_EQ(must({"exec", "--via-runsc", "box", "--", "echo", "on"}), "on");
           },
           [&] {
             EXPECT_EQ(must({"docker", "box", "--", "info", "-f", "{{.OSType}}"}), "linux");
           },
           [&] { EXPECT_EQ(ping(), "HTTP/1.1 200 OK") << "somebody listens before it is hibernated"; },
           [&] {
             EXPECT_EQ(run({"cp", "box:/etc/hostname", "-"}).code, 0);
           },
           [&] {
             EXPECT_EQ(must({"resume", "box"}), "box");
             EXPECT_EQ(ping(), "HTTP/1.1 200 OK") << "and until it does so itself";
           },
       }) {
    ASSERT_TRUE(becomes("hibernated")) << state();
    use();
  }
  ASSERT_TRUE(becomes("hibernated"));
  std::vector<std::unique_ptr<started_command>> many;
  for (int i = 0; i < 10; ++i) many.push_back(start({"exec", "box", "--", "echo", std::to_string(i)}));
  for (int i = 0; i < 10; ++i) {
    const command_output got = many[static_cast<std::size_t>(i)]->finish();
    EXPECT_EQ(got.out, std::to_string(i) + "\n") << got.err;
  }
  ASSERT_TRUE(becomes("hibernated"));
  EXPECT_FALSE(follower->ended()) << "who listens is told that it has ended";
  // Its watch may be killed: the next call begins another, which listens anew.
  const int killed = watch();
  ASSERT_EQ(::kill(killed, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return run({"ls", "--ids"}).code == 0 && watch() != 0 && watch() != killed; }));
  ASSERT_TRUE(eventually([&] { return run({"ls", "--ids"}).code == 0 && ping() == "HTTP/1.1 200 OK"; }));
  ASSERT_TRUE(becomes("hibernated"));
  EXPECT_EQ(must({"rm", "box"}), "box");
  const command_output followed = follower->finish();
  EXPECT_EQ(followed.code, 0) << followed.err;
  EXPECT_EQ(left_now(), "");

  must(run_words({"-d", "--id", "box", "--idle-timeout", "1", "--hibernate", "--lifetime", "8"}));
  ASSERT_TRUE(becomes("hibernated"));
  EXPECT_TRUE(becomes("stopped"));
  // Who ends it has more to do then, and holds its lock.
  EXPECT_TRUE(eventually([&] { return !fs::exists(root_ + "/box/hibernated"); }));
  EXPECT_TRUE(eventually([&] { return must({"gc"}).find("box") != std::string::npos; }));
  EXPECT_EQ(left_now(), "");
}

TEST_F(CommandHibernate, ItsClientsAreHeardByAWatchThatKnewNothingOfIt) {
  // That of another, which is told of nothing in this one's directory.
  must(run_words({"-d", "--id", "other", "--idle-timeout", "1000"}));
  must(run_words({"-d", "--id", "box", "--docker", "--wait"}));
  for (int i = 0; i < 3; ++i) {
    must({"hibernate", "box"});
    EXPECT_EQ(ping(), "HTTP/1.1 200 OK");
  }
  EXPECT_EQ(must({"rm", "box", "other"}), "box\nother");
}

TEST_F(CommandHibernate, ItsWatchHasNothingToDoMeanwhile) {
  must(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1000"}));
  must({"hibernate", "box"});
  const auto reads = [&] {
    std::stringstream text;
    text << std::ifstream("/proc/" + std::to_string(watch()) + "/io").rdbuf();
    const std::size_t at = text.str().find("syscr: ");
    return at == std::string::npos ? std::string() : text.str().substr(at, text.str().find('\n', at) - at);
  };
  // What it was told of comes first.
  EXPECT_TRUE(eventually([&] {
    const std::string before = reads();
    ::usleep(100'000);
    return !before.empty() && reads() == before;
  }));
  EXPECT_EQ(must({"rm", "-f", "box"}), "box");
}

TEST_F(CommandHibernate, WhatWasJustReadOrWrittenStandsNotAgainstIt) {
  must(run_words({"-d", "--id", "box"}));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(run({"cp", "box:/etc/hostname", "-"}).code, 0);
    EXPECT_EQ(must({"hibernate", "box"}), "box");
  }
  EXPECT_EQ(must({"rm", "-f", "box"}), "box");
}

TEST_F(CommandHibernate, KilledAtAnyMomentItIsOneThatRunsOrOneThatIsSaved) {
  must(run_words({"-d", "--id", "box", "--docker", "--wait"}));
  int saved = 0;
  for (int i = 0; i < 12; ++i) {
    // Falling asleep, from before the guest is asked until it is long over; then coming back.
    const auto falling = start({"hibernate", "box"});
    ::usleep(static_cast<useconds_t>(i) * 60'000);
    falling->signal(SIGKILL);
    (void)falling->finish();
    saved += state() == "hibernated" ? 1 : 0;
    if (i % 2 == 1) {
      must({"hibernate", "box"});
      const auto waking = start({"exec", "box", "--", "true"});
      ::usleep(static_cast<useconds_t>(i) * 30'000);
      waking->signal(SIGKILL);
      (void)waking->finish();
    }
    ASSERT_EQ(inside("echo " + std::to_string(i)), std::to_string(i));
    EXPECT_EQ(must({"docker", "box", "--", "info", "-f", "{{.OSType}}"}), "linux");
    EXPECT_EQ(state(), "running");
  }
  EXPECT_GT(saved, 0);
  EXPECT_EQ(must({"rm", "box"}), "box");
  EXPECT_EQ(left_now(), "");
}

TEST_F(CommandHibernate, WhatStandsAgainstItIsSaidAndItRunsOn) {
  const command_output alone = run(run_words({"-d", "--hibernate"}));
  EXPECT_EQ(alone.code, 2);
  EXPECT_NE(alone.err.find("--hibernate"), std::string::npos) << alone.err;

  must(run_words({"-d", "--id", "box", "--docker", "--wait"}));
  const auto running = start({"exec", "box", "--", "sleep", "3"});
  ASSERT_TRUE(eventually([&] { return inside("pgrep -x sleep; true") != ""; }));
  const command_output used = run({"hibernate", "box"});
  EXPECT_EQ(used.code, 1);
  EXPECT_NE(used.err.find("1 command runs"), std::string::npos) << used.err;
  EXPECT_EQ(state(), "running");
  EXPECT_EQ(running->finish().code, 0);

  // What listens in the sandbox itself would wait for a container's connections without end.
  load_image("box");
  must({"docker", "box", "--", "run", "-d", "--name", "beside", image_name_, "sleep", "1000"});
  must({"docker", "box", "--", "run", "-d", "--name", "own", "--network", "host", image_name_, "httpd", "-f", "-p",
        "8081"});
  ASSERT_TRUE(
      eventually([&] { return inside("cat /proc/net/tcp /proc/net/tcp6").find(":1F91") != std::string::npos; }));
  const command_output listens = run({"hibernate", "box"});
  EXPECT_EQ(listens.code, 1);
  EXPECT_NE(listens.err.find(" serves TCP port 8081 in the sandbox itself"), std::string::npos) << listens.err;
  EXPECT_EQ(state(), "running");
  must({"docker", "box", "--", "rm", "-f", "own", "beside"});

  // Another runsc than the one that wrote it.
  must({"hibernate", "box"});
  const std::string release = root_ + "/box/hibernated/runsc";
  std::string before;
  std::getline(std::ifstream(release), before);
  std::ofstream(release) << "20200101.0";
  const command_output other = run({"exec", "box", "--", "true"});
  EXPECT_EQ(other.code, 1);
  EXPECT_NE(other.err.find("runsc 20200101.0"), std::string::npos) << other.err;
  EXPECT_EQ(state(), "hibernated");
  std::ofstream(release) << before;
  EXPECT_EQ(inside("echo on"), "on");
  EXPECT_EQ(must({"rm", "box"}), "box");
  EXPECT_EQ(left_now(), "");
}

TEST_F(CommandHibernate, PublishedPortsAreServedAgainWhateverConnectionsThereWere) {
  must({"run", "-d", "--id", "box", "--rootfs", rootfs_, "--docker", "--wait", "--runsc", runsc_, "--memory", "2Gi"});
  load_image("box");
  must({"docker", "box", "--", "run", "-d", "--name", "web", "-p", "8080:80", image_name_, "sh", "-c",
        "mkdir /www; echo served > /www/index.html; httpd -f -p 80 -h /www"});
  const std::string address = told({"network", "address"});
  const auto page = [&] {
    return host_shell("curl -s --retry 20 --retry-delay 1 --retry-all-errors --max-time 30 http://" + address +
                      ":8080/");
  };
  // One that Docker removes when it is stopped is there again as well.
  must({"docker", "box", "--", "run", "-d", "--rm", "--name", "brief", "-p", "8081:80", image_name_, "httpd", "-f",
        "-p", "80"});
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    // One that is just over, which httpd has closed, and one that is open, both in the container's network namespace.
    ASSERT_EQ(page(), "served");
    must({"docker", "box", "--", "exec", "-d", "web", "sh", "-c", "sleep 1000 | nc 127.0.0.1 80"});
    ASSERT_TRUE(
        eventually([&] { return inside("cat /proc/net/tcp /proc/net/tcp6").find(" 01 ") != std::string::npos; }));
    must({"hibernate", "box"});
    EXPECT_EQ(state(), "hibernated");
    EXPECT_EQ(inside("echo on"), "on");
    EXPECT_EQ(page(), "served");
    if (i != 0) continue;
    EXPECT_TRUE(eventually([&] {
      return must({"docker", "box", "--", "ps", "--filter", "name=brief", "--format", "{{.Names}}"}) == "brief";
    })) << "it is restarted";
    // A second time it may be what keeps the sandbox from coming back: what of its ports is left of the first is not seen.
    const command_output again = run({"hibernate", "box"});
    EXPECT_EQ(again.code, 1);
    EXPECT_NE(again.err.find("has been saved before with published ports"), std::string::npos) << again.err;
    must({"docker", "box", "--", "rm", "-f", "brief"});
  }
  // Again and again, while its containers are only just begun.
  for (int i = 0; i < 3; ++i) {
    must({"hibernate", "box"});
    EXPECT_EQ(inside("echo on"), "on");
  }
  EXPECT_EQ(page(), "served");
  // A snapshot's sandbox that goes on serves them, too.
  must({"snapshot", "box", "warm"});
  EXPECT_EQ(page(), "served");
  must({"snapshot", "rm", "warm"});
  fs::remove(root_ + "/.snapshots");
  // dockerd ends its proxy as ever.
  must({"docker", "box", "--", "rm", "-f", "web"});
  EXPECT_EQ(inside("pgrep -x 'docker-proxy|port-proxy' || echo none"), "none");
  must({"docker", "box", "--", "run", "--rm", "-p", "8080:80", image_name_, "true"});
  EXPECT_EQ(must({"rm", "box"}), "box");
}

TEST_F(CommandHibernate, OnAFullDiskItSleepsInMemory) {
  ASSERT_EQ(::mount("test", root_.c_str(), "tmpfs", 0, "size=600m,mode=0700"), 0);
  must(run_words({"-d", "--id", "box", "--docker", "--wait"}));
  {
    std::ofstream fill(root_ + "/fill");
    const std::string piece(1 << 20, 'x');
    for (int i = 0; i < 600 && fill.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush(); ++i) {
    }
  }
  fs::resize_file(root_ + "/fill", fs::file_size(root_ + "/fill") - (4 << 20));
  const command_output full = run({"hibernate", "box"});
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.err.find("no space left"), std::string::npos) << full.err;
  EXPECT_EQ(state(), "running");
  EXPECT_FALSE(fs::exists(root_ + "/box/hibernated"));
  EXPECT_EQ(inside("echo on"), "on");
  EXPECT_EQ(must({"rm", "box"}), "box");
  must(run_words({"-d", "--id", "box", "--docker", "--wait", "--idle-timeout", "1", "--hibernate"}));
  EXPECT_TRUE(becomes("asleep")) << state();
  EXPECT_EQ(inside("echo on"), "on");
  EXPECT_EQ(must({"rm", "box"}), "box");
  ASSERT_TRUE(eventually([&] { return watch() == 0; }));
  EXPECT_EQ(::umount2(root_.c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace berth_test
