// SPDX-License-Identifier: Apache-2.0
// Snapshots of sandboxes whose Docker keeps its data in a directory of the host's, on real runsc and real dockerd.
#include "support/snapshot_fixture.hpp"

#include <berth/sandbox/detail/disk.hpp>

#include <sys/mount.h>

#include <filesystem>
#include <fstream>

namespace berth_test {
namespace {

namespace fs = std::filesystem;
using std::string;

class SnapshotDataRoot : public snapshot_test {
 protected:
  void SetUp() override {
    snapshot_test::SetUp();
    data_ = beside() + "/data";
    fs::create_directory(data_);
    must(on_network({"--id", "box", "--docker", "--data-root", data_, "--wait"}));
  }
  void make_a_container_that_counts() {
    load_image("box");
    docker("box", {"run", "-d", "--name", "count", "-v", "data:/data", image_name_, "sh", "-c",
                   "i=0; while :; do i=$((i+1)); echo $i > /data/n; sleep 0.2; done"});
    EXPECT_TRUE(counts_on(count("box")));
  }
  std::function<string()> count(const string& id) {
    return [this, id] { return docker(id, {"exec", "count", "cat", "/data/n"}); };
  }
  string data_;
};

TEST_F(SnapshotDataRoot, EachCopyHasOneOfItsOwn) {
  make_a_container_that_counts();
  must({"snapshot", "box", "warm"});
  EXPECT_EQ(status_of("box", {"state"}), "running");
  EXPECT_TRUE(counts_on(count("box")));
  const fs::path kept = root_ + "/.snapshots/warm/data-root";
  EXPECT_TRUE(fs::is_directory(kept / "volumes/data"));
  EXPECT_GT(std::stol(parsed_json(run({"snapshots", "--json"}).out).at({"0", "bytes"})), 8'000'000);

  for (const string id : {"one", "two"}) must({"run", "-d", "--id", id, "--from", "warm"});
  for (const string id : {"one", "two"}) {
    SCOPED_TRACE(id);
    EXPECT_EQ(docker(id, {"image", "ls", "--format", "{{.Repository}}:{{.Tag}}"}), image_name_);
    EXPECT_EQ(docker(id, {"run", "--rm", image_name_, "echo", "runs"}), "runs");
    EXPECT_TRUE(counts_on(count(id)));
  }
  docker("one", {"exec", "count", "touch", "/data/only-one"});
  EXPECT_EQ(docker("two", {"exec", "count", "ls", "/data"}), "n");
  EXPECT_EQ(docker("box", {"exec", "count", "ls", "/data"}), "n");

  // And of a copy another; what was first there is as it was.
  must({"snapshot", "one", "again", "--stop"});
  EXPECT_EQ(status_of("one", {"state"}), "stopped");
  must({"rm", "one", "box"});
  must({"snapshot", "rm", "warm"});
  EXPECT_TRUE(counts_on(count("two"))) << "it needs the snapshot no more";
  must({"run", "-d", "--id", "one", "--from", "again"});
  EXPECT_EQ(docker("one", {"exec", "count", "ls", "/data"}), "n\nonly-one");
  must(on_network({"--id", "box", "--docker", "--data-root", data_, "--wait"}));
  EXPECT_EQ(docker("box", {"image", "ls", "--format", "{{.Repository}}:{{.Tag}}"}), image_name_);
  EXPECT_FALSE(fs::exists(data_ + "/berth-data-root/docker/volumes/data/_data/only-one"));
}

TEST_F(SnapshotDataRoot, OfASizeSoHasEachCopy) {
  const string sized = beside() + "/sized";
  fs::create_directory(sized);
  must({"rm", "box"});
  must(on_network({"--id", "box", "--docker", "--data-root", sized + ":300Mi", "--wait"}));
  make_a_container_that_counts();
  must({"snapshot", "box", "warm"});
  must({"run", "-d", "--id", "one", "--from", "warm"});
  EXPECT_TRUE(counts_on(count("one")));
  EXPECT_NE(inside("one", "dd if=/dev/zero of=/var/lib/docker/full bs=1M count=350 2>&1; rm /var/lib/docker/full")
                .find("No space left"),
            string::npos);
  EXPECT_TRUE(counts_on(count("one")));
  // Of a copy one more, by an owner that is killed.
  must({"snapshot", "one", "again", "--stop"});
  must({"rm", "one", "box"});
  must({"run", "-d", "--id", "two", "--from", "again"});
  EXPECT_TRUE(counts_on(count("two")));
  const string file = root_ + "/two/disk.ext4";
  EXPECT_TRUE(berth::detail::loop_device_has(file));
  ASSERT_EQ(::kill(std::stoi(status_of("two", {"pid"})), SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return status_of("two", {"state"}) == "stopped"; }));  // until then it is no garbage
  must({"gc"});
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(SnapshotDataRoot, WhatHasNoRoomForItLeavesTheSandboxAsItWas) {
  make_a_container_that_counts();
  // cp sees holes, and writes nothing for them: this has none.
  ASSERT_EQ(std::system(("head -c 400000000 /dev/urandom > " + data_ + "/berth-data-root/docker/large").c_str()), 0);
  fs::create_directory(root_ + "/.snapshots");
  ASSERT_EQ(::mount("test", (root_ + "/.snapshots").c_str(), "tmpfs", 0, "size=350m,mode=0700"), 0);
  for (const bool stop : {false, true}) {
    SCOPED_TRACE(stop);
    const command_output done = run(stop ? std::vector<string>{"snapshot", "box", "warm", "--stop"}
                                         : std::vector<string>{"snapshot", "box", "warm"});
    EXPECT_EQ(done.code, 1);
    EXPECT_NE(done.err.find("no space is left on the device"), string::npos) << done.err;
    EXPECT_TRUE(fs::is_empty(root_ + "/.snapshots"));
    EXPECT_EQ(status_of("box", {"state"}), "running");
    EXPECT_TRUE(counts_on(count("box")));
  }
}

TEST_F(SnapshotDataRoot, WhoeverMakesItMayBeKilledWhileAllStandsStill) {
  ASSERT_EQ(std::system(("head -c 900000000 /dev/urandom > " + data_ + "/berth-data-root/docker/large").c_str()), 0);
  const auto making = start({"snapshot", "box", "warm"});
  ASSERT_TRUE(eventually([&] { return status_of("box", {"state"}) == "paused"; }));
  making->signal(SIGKILL);
  making->finish();
  EXPECT_EQ(status_of("box", {"state"}), "paused");
  must({"resume", "box"});
  must({"gc"});
  EXPECT_TRUE(fs::is_empty(root_ + "/.snapshots"));
  EXPECT_EQ(inside("box", "echo well"), "well");
  fs::remove(data_ + "/berth-data-root/docker/large");
  EXPECT_TRUE(eventually([&] { return run({"snapshot", "box", "warm"}).code == 0; }));
}

}  // namespace
}  // namespace berth_test
