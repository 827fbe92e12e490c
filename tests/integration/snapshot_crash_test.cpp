// SPDX-License-Identifier: Apache-2.0
// What is killed while a sandbox is saved or restored, and what each copy has of its own.
#include "support/snapshot_fixture.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace berth_test {
namespace {

namespace fs = std::filesystem;
using std::string;

class SnapshotCrash : public snapshot_test {
 protected:
  /// Host processes with `part` on their command line, but for the test's own.
  static std::set<pid_t> processes_with(const string& part) {
    std::set<pid_t> out;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
      const pid_t pid = std::atoi(entry.path().filename().c_str());
      if (pid <= 0 || pid == ::getpid()) continue;
      std::ifstream file(entry.path() / "cmdline", std::ios::binary);
      const string text{std::istreambuf_iterator<char>(file), {}};
      if (text.find(part) != string::npos) out.insert(pid);
    }
    return out;
  }
  void nothing_half_written() {
    must({"gc"});
    if (!fs::exists(root_ + "/.snapshots")) return;
    for (const auto& entry : fs::directory_iterator(root_ + "/.snapshots"))
      EXPECT_TRUE(fs::exists(entry.path() / "manifest.json")) << entry.path();
  }
};

TEST_F(SnapshotCrash, TheSandboxOrRunscIsKilledWhileItIsSaved) {
  for (const int delay_ms : {5, 40, 90, 160, 300}) {
    SCOPED_TRACE(delay_ms);
    must(run_words({"-d", "--id", "box"}));
    inside("box", "head -c 30000000 /dev/urandom > /root/large");
    // runsc's client: the sandbox goes on, or has been saved.
    const string token = parsed_json(run({"status", "box", "--json"}).out).at({"container_id"});
    auto saving = start({"snapshot", "box", "client"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
    for (const pid_t pid : processes_with("checkpoint"))
      if (processes_with(token).count(pid)) ::kill(pid, SIGKILL);
    const command_output client = saving->finish();
    EXPECT_TRUE(eventually([&] { return run({"exec", "box", "--", "true"}).code == 0; }));
    EXPECT_EQ(run({"snapshot", "inspect", "client"}).code == 0, client.code == 0) << client.err;
    run({"snapshot", "rm", "client"});
    // The sandbox itself.
    saving = start({"snapshot", "box", "warm"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
    ::kill(std::stoi(status_of("box", {"pid"})), SIGKILL);
    const command_output done = saving->finish();
    EXPECT_EQ(run({"snapshot", "inspect", "warm"}).code == 0, done.code == 0) << done.err;
    if (done.code == 0) {
      must({"run", "-d", "--id", "one", "--from", "warm"});
      EXPECT_EQ(inside("one", "stat -c %s /root/large"), "30000000");
      must({"rm", "--force", "one"});
      must({"snapshot", "rm", "warm"});
    }
    must({"rm", "--force", "box"});
    nothing_half_written();
  }
}

TEST_F(SnapshotCrash, TheSandboxOrItsMakerIsKilledWhileItIsRestored) {
  must(run_words({"-d", "--id", "box"}));
  must({"snapshot", "box", "warm"});
  for (const int delay_ms : {20, 60, 120, 200, 350}) {
    SCOPED_TRACE(delay_ms);
    auto restoring = start({"run", "-d", "--id", "one", "--from", "warm"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
    for (const pid_t pid : processes_with(root_ + "/one/run")) ::kill(pid, SIGKILL);
    const command_output done = restoring->finish();
    if (done.code != 0) {
      EXPECT_EQ(run({"status", "one"}).code, 4) << "nothing is left of it: " << done.err;
    }
    run({"rm", "--force", "one"});

    restoring = start({"run", "-d", "--id", "two", "--from", "warm"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
    restoring->signal(SIGKILL);
    const command_output killed = restoring->finish();
    if (killed.out.empty()) {
      EXPECT_TRUE(eventually([&] {
        must({"gc"});
        return run({"status", "two"}).code == 4;
      }));
    }
    run({"rm", "--force", "two"});
  }
  must({"run", "-d", "--id", "one", "--from", "warm"});
  EXPECT_EQ(inside("one", "echo well"), "well");
}

TEST_F(SnapshotCrash, DockerdIsKilledWhileItIsSaved) {
  must({"-q", "run", "-d", "--wait", "--id", "box", "--rootfs", rootfs_, "--docker"});
  for (const char* delay : {"0.02", "0.3"}) {
    SCOPED_TRACE(delay);
    // In the background: while a command runs through the guest nothing is saved.
    inside("box", string("setsid sh -c 'sleep ") + delay +
                      "; kill -9 $(cat /var/run/docker.pid); touch /root/killed' > /dev/null 2>&1 < /dev/null &");
    const command_output done = run({"snapshot", "box", "warm"});
    // Not ready yet from before it was killed.
    ASSERT_TRUE(eventually([&] { return run({"exec", "box", "--", "rm", "/root/killed"}).code == 0; }));
    must({"wait", "box", "--timeout", "60"});
    EXPECT_NE(must({"docker", "box", "--", "version"}), "");
    if (done.code != 0) continue;
    must({"-q", "run", "-d", "--id", "one", "--from", "warm"});
    // What had been killed comes up again there as well.
    EXPECT_TRUE(eventually([&] { return run({"docker", "one", "--", "version"}).code == 0; }));
    must({"rm", "--force", "one"});
    must({"snapshot", "rm", "warm"});
  }
  nothing_half_written();
}

TEST_F(SnapshotCrash, TwoAreRestoredAtOnceAndEachHasWhatIsItsOwn) {
  must({"-q", "run", "-d", "--wait", "--id", "box", "--rootfs", rootfs_, "--docker"});
  const string id = "0123456789abcdef0123456789abcdef";
  inside("box", "echo " + id + " > /etc/machine-id");
  must({"snapshot", "box", "warm"});
  EXPECT_EQ(inside("box", "cat /etc/machine-id"), id) << "the one that goes on is itself";
  const auto first = start({"-q", "run", "-d", "--wait", "--id", "one", "--from", "warm"});
  const auto second = start({"-q", "run", "-d", "--wait", "--id", "two", "--from", "warm"});
  EXPECT_EQ(first->finish().code, 0);
  EXPECT_EQ(second->finish().code, 0);
  // A copy of a copy.
  must({"snapshot", "one", "again"});
  must({"-q", "run", "-d", "--wait", "--id", "three", "--from", "again"});
  std::set<string> machines{id}, randoms, names, addresses, uuids;
  for (const string copy : {"one", "two", "three"}) {
    SCOPED_TRACE(copy);
    const string machine = inside(copy, "cat /etc/machine-id");
    EXPECT_EQ(machine.size(), 32u) << machine;
    machines.insert(machine);
    randoms.insert(inside(copy, "head -c 16 /dev/urandom | od -An -tx1"));
    uuids.insert(inside(copy, "cat /proc/sys/kernel/random/uuid 2> /dev/null || head -c 16 /dev/random | od -An -tx1"));
    names.insert(inside(copy, "hostname"));
    addresses.insert(status_of(copy, {"network", "address"}));
    EXPECT_LT(std::labs(std::stol(inside(copy, "date +%s")) - static_cast<long>(::time(nullptr))), 60);
    EXPECT_NE(must({"docker", copy, "--", "version"}), "");
  }
  EXPECT_EQ(machines.size(), 4u);
  EXPECT_EQ(randoms.size(), 3u);
  EXPECT_EQ(uuids.size(), 3u);
  EXPECT_EQ(names.size(), 3u);
  EXPECT_EQ(addresses.size(), 3u);
}

TEST_F(SnapshotCrash, WhatCannotBeSavedIsToldInOneLine) {
  must(run_words({"-d", "--id", "box"}));
  inside("box",
         "setsid perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un(\"/run/berth/mine\")); "
         "sleep 100000' > /dev/null 2>&1 < /dev/null & while ! test -S /run/berth/mine; do sleep 0.05; done");
  const command_output done = run({"snapshot", "box", "warm"});
  EXPECT_EQ(done.code, 1);
  EXPECT_NE(done.err.find("Cannot save endpoint with bound host socket\n"), string::npos) << done.err;
  EXPECT_EQ(done.err.find("goroutine"), string::npos) << done.err;
  EXPECT_LT(done.err.size(), 2000u) << done.err;
  std::ifstream log(root_ + "/box/logs/checkpoint.log");
  const string all{std::istreambuf_iterator<char>(log), {}};
  EXPECT_NE(all.find("goroutine"), string::npos) << all;
  EXPECT_EQ(inside("box", "echo well"), "well");
}

}  // namespace
}  // namespace berth_test
