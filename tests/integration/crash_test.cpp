// SPDX-License-Identifier: Apache-2.0
// The client killed at every moment of a sandbox's life: garbage collection must leave nothing.
#include "support/sandbox_fixture.hpp"

#include <berth/sandbox/detail/state_directory.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

namespace {

using namespace berth;

class SandboxCrash : public berth_test::sandbox_test {
 protected:
  /// Runs `work` in a process of its own that ends by SIGKILL as soon as `phase` begins; false when it never came to that.
  /// Nothing of the test's own loop is used in there.
  template <class Work>
  bool killed_at(const std::string& phase, Work&& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      environment where = where_;
      where.log = {};
      where.on_phase = [&phase](std::string_view now) {
        if (now == phase) ::kill(::getpid(), SIGKILL);
      };
      work(where);
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

  void collect(std::size_t expected) {
    auto removed = loop_.run(collect_garbage(where_));
    ASSERT_TRUE(removed) << removed.error().to_string();
    EXPECT_EQ(removed->sandboxes.size(), expected);
  }

  sandbox_config everything() const {  // every kind of resource
    sandbox_config what = config(network_mode::sandbox);
    what.id = "victim";
    what.memory_bytes = 1u << 30;
    return what;
  }
};

void create_in(const environment& where, const sandbox_config& what) {
  berth_test::loop loop;
  (void)loop.run(sandbox::create(where, what));
}

TEST_F(SandboxCrash, KilledAtEachPhaseOfTheCreation) {
  for (const char* phase : {"record", "directories", "shared", "network", "root", "bundle", "runsc", "running"}) {
    SCOPED_TRACE(phase);
    ASSERT_TRUE(killed_at(phase, [&](const environment& where) { create_in(where, everything()); }));
    // At "record" there is nothing yet; at "running" there is a sandbox in full order, which goes on.
    if (std::string(phase) == "running") {
      collect(0);
      auto box = sandbox::attach(where_, "victim");
      ASSERT_TRUE(box) << box.error().to_string();
      EXPECT_EQ(shell(**box, "echo well"), "well");
      terminate(**box);
    } else {
      collect(std::string(phase) == "record" ? 0 : 1);
    }
    EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
  }
}

TEST_F(SandboxCrash, KilledAtEachPhaseOfTheRemoval) {
  for (const char* phase : {"kill", "network", "shared", "cgroups", "directories"}) {
    SCOPED_TRACE(phase);
    create(everything());
    ASSERT_TRUE(killed_at(phase, [&](const environment& where) {
      berth_test::loop loop;
      auto box = sandbox::attach(where, "victim");
      if (box) (void)loop.run((*box)->terminate());
    }));
    collect(1);
    EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
  }
}

TEST_F(SandboxCrash, KilledAtAnyMoment) {
  std::mt19937 random(4711);  // the same moments in each run, as far as the machine's pace allows
  for (int round = 0; round < 25; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      environment where = where_;
      where.log = {};
      create_in(where, everything());
      berth_test::loop loop;
      auto box = sandbox::attach(where, "victim");
      if (box) (void)loop.run((*box)->terminate());
      ::_exit(0);
    }
    ::usleep(std::uniform_int_distribution<unsigned>(0, 400'000)(random));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    // What runs in full order goes on: that one is removed by its id.
    auto removed = loop_.run(collect_garbage(where_));
    ASSERT_TRUE(removed) << removed.error().to_string();
    auto box = sandbox::attach(where_, "victim");
    if (box) terminate(**box);
    ASSERT_EQ(berth_test::left_behind(where_.root, before_), "") << "round " << round;
  }
}

TEST_F(SandboxCrash, OneThatEndsWithItsCreatorIsCollected) {
  sandbox_config what = everything();
  what.ends_with_creator = true;
  const pid_t child = ::fork();
  if (child == 0) {
    environment where = where_;
    where.log = {};
    create_in(where, what);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(sandbox::attach(where_, "victim"));
  collect(1);
}

TEST_F(SandboxCrash, OneWhoseCreatorIsWatchedIsGoneWithItWhateverThePhase) {
  sandbox_config what = everything();
  what.watch_creator = true;
  for (const char* phase : {"directories", "shared", "network", "root", "bundle", "runsc", "running"}) {
    SCOPED_TRACE(phase);
    ASSERT_TRUE(killed_at(phase, [&](const environment& where) { create_in(where, what); }));
    std::string left;
    for (int i = 0; i < 1200; ++i) {
      left = berth_test::left_behind(where_.root, before_);
      if (left.empty()) break;
      loop_.run_for(std::chrono::milliseconds(50));
    }
    ASSERT_EQ(left, "");
  }
}

TEST_F(SandboxCrash, WhatRunsIsLeftAlone) {
  sandbox_config what = everything();
  what.watch_creator = true;
  auto box = create(what);
  collect(0);
  EXPECT_EQ(shell(*box, "echo on"), "on");
  terminate(*box);
}

TEST_F(SandboxCrash, OneWhoseInitHasEndedIsCollected) {
  auto box = create(everything());
  ASSERT_EQ(::kill(box->record().sandbox_process.pid, SIGKILL), 0);
  ASSERT_TRUE(loop_.run(box->wait_stopped(deadline_after(seconds(60)))));
  collect(1);
}

TEST_F(SandboxCrash, OneOfAnEarlierBootIsCollected) {
  auto box = create(everything());
  sandbox_record record = box->record();
  record.boot_id = "00000000-0000-0000-0000-000000000000";
  ASSERT_TRUE(write_record(record));
  EXPECT_EQ(loop_.run(box->state()).value(), sandbox_state::lost);
  collect(1);
}

TEST_F(SandboxCrash, OrphansWithoutARecordAreCollectedAndStrangersAreNot) {
  auto box = create(everything());
  const sandbox_record record = box->record();
  // The record is taken away under it: all that is left are names that begin with this root's token. What is no sandbox
  // in the root directory keeps nobody from them.
  host_shell("mkdir " + where_.root + "/lost+found && touch " + where_.root + "/notes");
  // runsc 2026-09 has a mount of its own there.
  host_shell("umount " + record.shared() + " " + record.root() + " && { umount " + record.runsc_root() +
             "/null-netns 2>/dev/null; rm -rf " + record.directory + "; }");
  const std::string stranger = "zzzzzabcdefgh";  // of another root
  host_shell("ip netns add berth-" + stranger + " && nft add table inet berth_" + stranger + " && ip link add bv" +
             stranger + " type veth");
  collect(0);
  EXPECT_EQ(host_shell("ls " + where_.root), "lost+found\nnotes");
  host_shell("rm -r " + where_.root + "/lost+found " + where_.root + "/notes");
  EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
  EXPECT_EQ(host_shell("ip netns | grep -c berth-" + stranger), "1");
  EXPECT_EQ(host_shell("ip -br link show bv" + stranger + " | wc -l"), "1");
  EXPECT_EQ(host_shell("nft list tables | grep -c berth_" + stranger), "1");
  host_shell("ip netns del berth-" + stranger + "; nft delete table inet berth_" + stranger + "; ip link del bv" +
             stranger);
}

TEST_F(SandboxCrash, WhatWasRemovedIsToldThoughAnotherCannotBe) {
  for (const char* id : {"one", "stuck", "two"}) {
    ASSERT_TRUE(killed_at("bundle", [&](const environment& where) {
      sandbox_config what = config();
      what.id = id;
      create_in(where, what);
    }));
  }
  ASSERT_EQ(host_shell("mount -t tmpfs none " + where_.root + "/stuck/logs && echo ok"), "ok");
  collected_garbage removed;
  removed.sandboxes = {"from before"};
  auto done = loop_.run(collect_garbage(where_, &removed));
  EXPECT_FALSE(done);
  EXPECT_EQ(removed.sandboxes, (std::vector<std::string>{"one", "two"}));
  host_shell("umount " + where_.root + "/.old-*/logs");
  collect(0);
  EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
}

TEST_F(SandboxCrash, ADirectoryThatAnotherLocksIsLeftAlone) {
  // Another process is at work on it, for all that garbage collection can tell.
  ASSERT_TRUE(killed_at("bundle", [&](const environment& where) { create_in(where, everything()); }));
  auto lock = detail::directory_lock::try_lock(where_.root + "/victim");
  ASSERT_TRUE(lock);
  auto box = sandbox::attach(where_, "victim");
  ASSERT_TRUE(box);
  EXPECT_EQ(loop_.run((*box)->state()).value(), sandbox_state::creating);
  collect(0);
  lock->release();
  EXPECT_EQ(loop_.run((*box)->state()).value(), sandbox_state::lost);
  collect(1);
}

TEST_F(SandboxCrash, TwoCollectorsAtOnce) {
  ASSERT_TRUE(killed_at("runsc", [&](const environment& where) { create_in(where, everything()); }));
  int left = 2;
  std::size_t removed = 0;
  for (int i = 0; i < 2; ++i) {
    boost::asio::co_spawn(loop_.context(), collect_garbage(where_),
                          [&](std::exception_ptr e, result<collected_garbage> garbage) {
                            --left;
                            ASSERT_FALSE(e);
                            ASSERT_TRUE(garbage) << garbage.error().to_string();
                            removed += garbage->sandboxes.size();
                          });
  }
  for (int i = 0; i < 6000 && left > 0; ++i) loop_.run_for(std::chrono::milliseconds(10));
  EXPECT_EQ(left, 0);
  EXPECT_EQ(removed, 1u);
}

TEST_F(SandboxCrash, FiftyLivesLeaveNothing) {
  for (int round = 0; round < 50; ++round) {
    sandbox_config what = config(network_mode::sandbox);
    if (round % 2 == 0) what.memory_bytes = 1u << 30;
    auto box = create(what);
    ASSERT_EQ(shell(*box, "echo " + std::to_string(round)), std::to_string(round));
    terminate(*box);
    if (HasFailure()) break;
  }
  // Counted in TearDown against the census before: processes, descriptors, mounts, namespaces, links, rules, cgroups,
  // directories. That the census sees them at all:
  auto box = create(everything());
  const auto busy = berth_test::census::take(where_.root);
  for (const char* kind : {"processes", "mounts", "namespaces", "links", "rules", "cgroups", "directories"}) {
    EXPECT_GT(busy.count(kind), before_.count(kind)) << kind;
  }
  terminate(*box);
}

}  // namespace
