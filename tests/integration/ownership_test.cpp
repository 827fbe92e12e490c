// SPDX-License-Identifier: Apache-2.0
// What is removed is proved to be one's own; what cannot be seen is not taken for gone.
#include "support/sandbox_fixture.hpp"

#include <berth/base/file.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/root_marker.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace {

namespace fs = std::filesystem;
using namespace berth;

boost::asio::awaitable<result<void>> nap() {
  (void)co_await pause_for(milliseconds(1));
  co_return result<void>();
}

class Ownership : public berth_test::sandbox_test {
 protected:
  collected_garbage collect(const environment& where) {
    auto removed = loop_.run(collect_garbage(where));
    EXPECT_TRUE(removed) << removed.error().to_string();
    return removed ? *removed : collected_garbage();
  }

  sandbox_config named(const std::string& id, network_mode network = network_mode::sandbox) const {
    sandbox_config what = config(network);
    what.id = id;
    return what;
  }

  static std::string count_network(const std::string& token) {
    return host_shell("ls /run/netns | grep -c berth-" + token + "; nft list tables inet | grep -c berth_" + token +
                      "; ip -br link show bv" + token + " | wc -l");
  }

  /// That it runs, and with its network.
  void expect_well(sandbox& box) {
    EXPECT_EQ(shell(box, "echo well"), "well");
    EXPECT_EQ(count_network(box.record().token), "1\n1\n1");
  }

  /// Another root directory, removed with what is in it at the end.
  environment other_root() {
    char path[] = "/tmp/berth-XXXXXX";
    EXPECT_NE(::mkdtemp(path), nullptr);
    environment where = where_;
    where.root = path;
    return where;
  }
};

TEST_F(Ownership, ARootThatIsHiddenLosesNothing) {
  auto box = create(named("box"));
  ASSERT_EQ(host_shell("mount -t tmpfs -o mode=0700 none " + where_.root), "");
  const collected_garbage removed = collect(where_);
  // Nor does one that has sandboxes of its own by now.
  auto made = loop_.run(sandbox::create(where_, named("box")));
  EXPECT_TRUE(made) << made.error().to_string();
  const collected_garbage more = collect(where_);
  if (made) {
    expect_well(**made);
    terminate(**made);
  }
  ASSERT_EQ(host_shell("umount " + where_.root), "");
  EXPECT_TRUE(removed.sandboxes.empty() && removed.orphans.empty());
  EXPECT_TRUE(more.sandboxes.empty() && more.orphans.empty());
  expect_well(*box);
  terminate(*box);
}

TEST_F(Ownership, ASandboxWhoseDirectoryIsHiddenIsLeftAlone) {
  auto box = create(named("box"));
  ASSERT_EQ(host_shell("mount -t tmpfs -o mode=0700 none " + where_.root + "/box"), "");
  const collected_garbage removed = collect(where_);
  ASSERT_EQ(host_shell("umount " + where_.root + "/box"), "");
  EXPECT_TRUE(removed.sandboxes.empty() && removed.orphans.empty());
  expect_well(*box);
  terminate(*box);
}

TEST_F(Ownership, WhatIsKilledWithoutARecordIsTold) {
  auto box = create(named("box"));
  const sandbox_record record = box->record();
  host_shell("umount " + record.shared() + " " + record.root() + " && { umount " + record.runsc_root() +
             "/null-netns 2>/dev/null; rm -rf " + record.directory + "; }");  // runsc 2026-09's own mount
  const collected_garbage removed = collect(where_);
  EXPECT_TRUE(removed.sandboxes.empty());
  bool process = false, network = false;
  for (const orphan& one : removed.orphans) {
    if (one.kind == orphan_kind::process && one.name == std::to_string(record.sandbox_process.pid)) {
      process = true;
      EXPECT_EQ(one.what, "runsc-sandbox of the sandbox box");
    }
    network = network || (one.kind == orphan_kind::network && one.name == record.token);
  }
  EXPECT_TRUE(process);
  EXPECT_TRUE(network);
}

TEST_F(Ownership, ATokenOfAnotherRootTakesNothingFromIt) {
  const environment elsewhere = other_root();
  auto theirs = loop_.run(sandbox::create(elsewhere, named("theirs")));
  ASSERT_TRUE(theirs) << theirs.error().to_string();
  auto mine = create(named("mine"));
  const std::string own_token = mine->record().token;
  sandbox_record forged = mine->record();
  forged.token = (*theirs)->record().token;
  ASSERT_TRUE(write_record(forged));
  auto found = sandbox::attach(where_, "mine");
  ASSERT_TRUE(found);
  terminate(**found);
  expect_well(**theirs);
  EXPECT_FALSE(mine->record().process_alive()) << "its own processes are its own all the same";
  // Its own names are ones that no record speaks of now.
  const collected_garbage removed = collect(where_);
  ASSERT_EQ(removed.orphans.size(), 1u);
  EXPECT_EQ(removed.orphans.front().name, own_token);
  expect_well(**theirs);
  terminate(**theirs);
  fs::remove_all(elsewhere.root);
}

TEST_F(Ownership, ATokenOfAnotherSandboxTakesNothingFromIt) {
  auto theirs = create(named("theirs")), mine = create(named("mine"));
  sandbox_record forged = mine->record();
  forged.token = theirs->record().token;
  ASSERT_TRUE(write_record(forged));
  auto found = sandbox::attach(where_, "mine");
  ASSERT_TRUE(found);
  terminate(**found);
  expect_well(*theirs);
  terminate(*theirs);
  collect(where_);
}

TEST_F(Ownership, ACopyOfARootTakesNothingFromIt) {
  terminate(*create(named("first", network_mode::none)));
  const environment copy = other_root();
  ASSERT_EQ(host_shell("cp -a " + where_.root + "/. " + copy.root), "");
  auto box = create(named("box"));
  const collected_garbage removed = collect(copy);
  EXPECT_TRUE(removed.sandboxes.empty() && removed.orphans.empty());
  expect_well(*box);
  terminate(*box);
  fs::remove_all(copy.root);
}

TEST_F(Ownership, WithoutDescriptorsNothingIsTakenForGone) {
  auto box = create(named("box"));
  for (int spare = 0; spare <= 6; ++spare) {
    SCOPED_TRACE(spare);
    const pid_t child = ::fork();
    if (child == 0) {
      environment where = where_;
      where.log = {};
      berth_test::loop loop;
      (void)loop.run(nap());  // the loop's own descriptors
      auto mine = sandbox::attach(where, "box");
      if (!mine) ::_exit(10);
      const struct rlimit few { 64, 64 };
      ::setrlimit(RLIMIT_NOFILE, &few);
      int last = -1;
      for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) last = fd;
      for (int i = 0; i < spare; ++i) ::close(last - i);
      const bool collected = static_cast<bool>(loop.run(collect_garbage(where)));
      const bool ended = static_cast<bool>(loop.run((*mine)->terminate(seconds(5))));
      ::_exit(collected || ended ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    // With enough of them it may be removed; what must not be is a sandbox that runs and is not listed.
    const auto all = list_sandboxes(where_);
    ASSERT_TRUE(all);
    if (box->record().process_alive()) {
      EXPECT_EQ(all->size(), 1u);
    }
    if (spare <= 1) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      expect_well(*box);
    }
    if (all->empty()) break;
  }
  terminate(*box);
  collect(where_);
}

TEST_F(Ownership, ARecordThatIsNoFileIsDamagedAndRemovable) {
  for (const char* make : {"mkfifo", "mkdir", "ln -s /etc/passwd", "ln -s /nowhere", "mknod -m 600"}) {
    SCOPED_TRACE(make);
    auto box = create(named("box"));
    const std::string record = where_.root + "/box/record.json", token = box->record().token;
    const std::string device = std::string(make).starts_with("mknod") ? " c 1 3" : "";
    ASSERT_EQ(host_shell("rm " + record + " && " + make + " " + record + device), "");
    const auto all = list_sandboxes(where_);
    ASSERT_TRUE(all) << all.error().to_string();
    ASSERT_EQ(all->size(), 1u);
    EXPECT_TRUE(all->front().damaged);
    EXPECT_NE(all->front().damage.find("it is no regular file"), std::string::npos) << all->front().damage;
    EXPECT_TRUE(collect(where_).sandboxes.empty());
    auto found = sandbox::attach(where_, "box");
    ASSERT_TRUE(found) << found.error().to_string();
    terminate(**found);
    EXPECT_EQ(berth_test::left_behind(where_.root, before_), "");
    EXPECT_TRUE(fs::exists("/etc/passwd"));
  }
}

TEST_F(Ownership, ANetworkNamespaceIsOneOrRefused) {
  const std::string fifo = where_.root + "-fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path :
       {fifo, std::string("/proc/self/ns/pid"), std::string("/etc/passwd"), std::string("/dev/null")}) {
    sandbox_config what = config(network_mode::path);
    what.network_path = path;
    auto box = loop_.run(sandbox::create(where_, what), std::chrono::seconds(30));
    ASSERT_FALSE(box) << path;
    EXPECT_EQ(box.error().code, errc::invalid) << box.error().to_string();
    EXPECT_EQ(box.error().path, path);
  }
  fs::remove(fifo);
}

}  // namespace
