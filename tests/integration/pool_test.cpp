// SPDX-License-Identifier: Apache-2.0
// Pools by the command, on real runsc and real dockerd.
#include "support/command_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace berth_test {
namespace {

namespace fs = std::filesystem;
using std::string;
using words = std::vector<string>;

class Pool : public command_test {
 protected:
  void TearDown() override {
    run({"pool", "stop", "web"});
    for (const string& id : taken_) run({"rm", "--force", id});
    run({"rm", "--force", "seed"});
    fs::remove_all(root_ + "/.snapshots");
    fs::remove_all(root_ + "/.pools");
    command_test::TearDown();
  }
  string status(const string& key) { return parsed_json(run({"pool", "status", "web", "--json"}).out).at({key}); }
  bool becomes(const string& key, const string& value) {
    return eventually([&] { return status(key) == value; });
  }
  string take(words more = {}) {
    words all{"-q", "pool", "take", "web"};
    all.insert(all.end(), more.begin(), more.end());
    const string id = must(all);
    taken_.insert(id);
    return id;
  }
  void seed(words more = {}) {
    words all{"run", "-d", "--id", "seed", "--rootfs", rootfs_, "--network", "none"};
    all.insert(all.end(), more.begin(), more.end());
    must(all);
    must({"exec", "seed", "--", "sh", "-c", "echo kept > /root/file"});
    must({"snapshot", "seed", "warm"});
  }
  std::set<string> ids() {
    std::istringstream lines(must({"ls", "--ids"}));
    std::set<string> out;
    for (string line; std::getline(lines, line);) out.insert(line);
    return out;
  }
  std::set<string> taken_;
};

TEST_F(Pool, HandsOutEachOnceAndFillsUpAgain) {
  seed();
  EXPECT_EQ(must({"-q", "pool", "start", "web", "--from", "warm", "--size", "3"}), "web");
  EXPECT_EQ(status("ready"), "3");
  EXPECT_EQ(status("made"), "3");
  const std::set<string> waiting = ids();
  // More at once than are ready.
  std::vector<std::unique_ptr<started_command>> takers;
  for (int i = 0; i < 5; ++i) takers.push_back(start({"-q", "pool", "take", "web"}));
  std::size_t were_ready = 0;
  for (const auto& one : takers) {
    const command_output done = one->finish();
    ASSERT_EQ(done.code, 0) << done.err;
    const string id = done.out.substr(0, done.out.find('\n'));
    EXPECT_TRUE(taken_.insert(id).second) << id << " was handed out twice";
    were_ready += waiting.count(id);
    EXPECT_EQ(must({"exec", id, "--", "cat", "/root/file"}), "kept");
  }
  EXPECT_EQ(were_ready, 3u);
  EXPECT_TRUE(becomes("ready", "3"));
  EXPECT_TRUE(becomes("filling", "false"));
  EXPECT_EQ(std::stoi(status("handed_out")) + std::stoi(status("missed")), 5);
  EXPECT_EQ(status("failed"), "0");

  const string own = take({"--label", "a=b", "--lifetime", "1h"});
  EXPECT_EQ(parsed_json(run({"status", own, "--json"}).out).at({"annotations", "a"}), "b");
  must({"pool", "stop", "web"});
  std::set<string> left = taken_;
  left.insert("seed");
  EXPECT_EQ(ids(), left) << "those that were handed out stay";
  EXPECT_EQ(run({"pool", "take", "web"}).code, 4);
  EXPECT_EQ(run({"pool", "stop", "web"}).code, 4);
  EXPECT_EQ(must({"pool", "ls", "--names"}), "");
}

// Cancelled or killed once the pool had lost its name.
TEST_F(Pool, AnEndThatWasBrokenOffIsTakenUpAgain) {
  seed();
  must({"-q", "pool", "start", "web", "--from", "warm", "--size", "2"});
  EXPECT_EQ(ids().size(), 3u);
  fs::rename(root_ + "/.pools/web", root_ + "/.pools/.old-brokenoff");
  EXPECT_EQ(run({"pool", "take", "web"}).code, 4);
  must({"pool", "stop", "web"});
  EXPECT_EQ(ids(), std::set<string>{"seed"});
  EXPECT_EQ(run({"pool", "stop", "web"}).code, 4);
}

TEST_F(Pool, WithDockerReadyInEach) {
  must({"-q", "run", "-d", "--wait", "--id", "seed", "--rootfs", rootfs_, "--docker"});
  load_image("seed");
  must({"snapshot", "seed", "warm"});
  must({"-q", "pool", "start", "web", "--from", "warm", "--size", "2"});
  // They take no CPU time while they wait, and are awake once they are taken.
  const auto state = [&](const string& id) { return parsed_json(run({"status", id, "--json"}).out).at({"state"}); };
  for (const char* which : {"0", "1"}) {
    const string id = parsed_json(run({"pool", "status", "web", "--json"}).out).at({"sandboxes", which});
    EXPECT_TRUE(eventually([&] { return state(id) == "asleep"; })) << state(id);
  }
  EXPECT_EQ(status("ready"), "2");
  const string one = take({"--egress", "none"}), two = take();
  EXPECT_NE(one, two);
  EXPECT_EQ(status("missed"), "0");
  EXPECT_EQ(state(one) + state(two), "runningrunning");
  for (const string& id : {one, two}) {
    EXPECT_EQ(must({"docker", id, "--", "run", "--rm", image_name_, "echo", "runs"}), "runs");
  }
  EXPECT_EQ(parsed_json(run({"status", one, "--json"}).out).at({"network", "egress", "0"}), "none");
  // One that ends while it waits is nobody's, and another takes its place.
  ASSERT_TRUE(becomes("ready", "2")) << run({"pool", "status", "web"}).out;
  ASSERT_TRUE(becomes("filling", "false"));
  const string doomed = parsed_json(run({"pool", "status", "web", "--json"}).out).at({"sandboxes", "0"});
  ::kill(std::stoi(parsed_json(run({"status", doomed, "--json"}).out).at({"pid"})), SIGKILL);
  EXPECT_TRUE(becomes("ready", "1"));
  const string three = take();
  EXPECT_NE(three, doomed);
  EXPECT_TRUE(becomes("ready", "2")) << run({"pool", "status", "web"}).out;
  EXPECT_EQ(status("lost"), "1");
  EXPECT_FALSE(ids().count(doomed));

  // One that was taken sleeps as its taker says: in memory, or on the disk; and its next use brings it back.
  EXPECT_EQ(run({"pool", "take", "web", "--hibernate"}).code, 2);
  EXPECT_EQ(run({"pool", "take", "web", "--idle-timeout", "0.1"}).code, 2);
  const string four = take({"--idle-timeout", "1"}), five = take({"--idle-timeout", "1", "--hibernate"});
  EXPECT_TRUE(eventually([&] { return state(four) == "asleep"; })) << state(four);
  EXPECT_TRUE(eventually([&] { return state(five) == "hibernated"; })) << state(five);
  for (const string& id : {four, five})
    EXPECT_EQ(must({"docker", id, "--", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"}), image_name_);
}

TEST_F(Pool, WhoeverFillsOrTakesMayBeKilledAtAnyTime) {
  seed();
  for (const int delay_ms : {20, 150, 400, 900}) {
    SCOPED_TRACE(delay_ms);
    const auto filling = start({"-q", "pool", "start", "web", "--from", "warm", "--size", "2"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
    filling->signal(SIGKILL);
    filling->finish();
    must({"-q", "pool", "start", "web", "--from", "warm", "--size", "2"});
    EXPECT_EQ(status("ready"), "2") << "what the killed one had made ready is used";
    const auto taking = start({"-q", "pool", "take", "web"});
    ::usleep(static_cast<useconds_t>(delay_ms) * 100);
    taking->signal(SIGKILL);
    const command_output done = taking->finish();
    if (!done.out.empty()) taken_.insert(done.out.substr(0, done.out.find('\n')));
    must({"gc"});
    must({"pool", "refill", "web"});
    EXPECT_TRUE(becomes("ready", "2")) << "by this one, or by the one that the taker has left behind";
    must({"pool", "stop", "web"});
    must({"gc"});
    std::set<string> left = taken_;
    left.insert("seed");
    for (const string& id : ids()) EXPECT_TRUE(left.count(id)) << id << " is left behind";
  }
}

TEST_F(Pool, WhatADeadOwnerLeftIsGarbage) {
  seed();
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::pause();
    ::_exit(0);
  }
  must({"-q", "pool", "start", "web", "--from", "warm", "--size", "1", "--ends-with", std::to_string(owner)});
  EXPECT_EQ(must({"gc"}), "") << "its owner lives";
  EXPECT_EQ(status("ready"), "1");
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  const string removed = must({"gc"});
  EXPECT_NE(removed.find("pool web"), string::npos) << removed;
  EXPECT_EQ(ids(), std::set<string>{"seed"});

  // A pool whose directory is lost: its sandboxes are of no use to anybody.
  must({"-q", "pool", "start", "web", "--from", "warm", "--size", "1"});
  fs::remove_all(root_ + "/.pools/web");
  must({"gc"});
  EXPECT_EQ(ids(), std::set<string>{"seed"});
}

TEST_F(Pool, SaysWhatItCannotDo) {
  seed();
  const auto refused = [this](words what, const string& why) {
    const command_output done = run(what);
    EXPECT_NE(done.code, 0);
    EXPECT_NE(done.err.find(why), string::npos) << done.err;
    return done.code;
  };
  EXPECT_EQ(refused({"pool", "take", "none"}, "there is no pool of this name"), 4);
  EXPECT_EQ(refused({"pool", "status", "none"}, "there is no pool of this name"), 4);
  EXPECT_EQ(refused({"pool", "start", "web", "--from", "none"}, "there is no snapshot of this name"), 1);
  EXPECT_EQ(refused({"pool", "start", "web", "--from", "warm", "--size", "0"}, "size"), 2);
  EXPECT_EQ(refused({"pool", "start", "a/b", "--from", "warm"}, "cannot be a pool's name"), 2);
  EXPECT_EQ(refused({"pool", "start", "web", "--from", "warm", "--rate", "x"}, "no number of sandboxes"), 2);
  must({"-q", "pool", "start", "web", "--from", "warm", "--size", "1"});
  // Another snapshot under the same name, or under another.
  must({"snapshot", "seed", "other"});
  EXPECT_EQ(refused({"pool", "start", "web", "--from", "other"}, "with copies of another snapshot"), 1);
  must({"snapshot", "rm", "warm"});
  must({"snapshot", "seed", "warm"});
  EXPECT_EQ(take().empty(), false) << "what is ready is handed out";
  // While the process that the taker left behind is at it, there is nothing to do for another one, and it says nothing.
  // That process may begin later than the first of ours.
  command_output last;
  EXPECT_TRUE(eventually([&] { return (last = run({"pool", "refill", "web"})).code != 0; }));
  EXPECT_EQ(last.code, 1);
  EXPECT_NE(last.err.find("made anew"), string::npos) << last.err;
}

}  // namespace
}  // namespace berth_test
