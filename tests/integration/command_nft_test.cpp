// SPDX-License-Identifier: Apache-2.0
// The berth command where nft is absent, broken or slow.
#include "support/command_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace berth_test {
namespace {

namespace fs = std::filesystem;

// What a mount namespace of its own, in which berth is to run, begins with: berth looks for nft in the standard places.
class CommandNft : public command_test {
 protected:
  void SetUp() override {
    command_test::SetUp();
    directory_ = root_ + "-nft";
    real_ = berth_;
    fs::create_directory(directory_);
  }
  void TearDown() override {
    berth_ = real_;
    fs::remove_all(directory_);
    command_test::TearDown();
  }

  void berth_where(const std::string& name, const std::string& what_it_is) {
    berth_ = directory_ + "/" + name;
    std::ofstream(berth_) << "#!/bin/sh\nexec unshare -m sh -c 'nft=$(readlink -f $(command -v nft)); " << what_it_is
                          << " && exec " << real_ << " \"$@\"' sh \"$@\"\n";
    fs::permissions(berth_, fs::perms::owner_all);
  }
  /// nft is this script, which finds the real one at /mnt/nft.
  void berth_where_nft_is(const std::string& name, const std::string& script) {
    const std::string path = directory_ + "/nft-" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script;
    fs::permissions(path, fs::perms::owner_all | fs::perms::others_exec);
    berth_where(name, "mount -t tmpfs none /mnt && cp $nft /mnt/nft && mount --bind " + path + " $nft");
  }
  void berth_where_nft_is_broken() {
    berth_where_nft_is("broken", "echo 'cache initialization failed: Operation not supported' >&2\nexit 1\n");
  }

  std::string directory_, real_;
};

TEST_F(CommandNft, AHostWithoutAWorkingOneIsNotStuckWithWhatItCouldNotMake) {
  const std::string memory = "/mnt";
  const std::string absent = "mount -t tmpfs none " + memory + " && mkdir " + memory + "/u " + memory + "/w && mknod " +
                             memory + "/u/nft c 0 0 && mount -t overlay none -o lowerdir=${nft%/*},upperdir=" + memory +
                             "/u,workdir=" + memory + "/w ${nft%/*}";
  for (const bool is_absent : {true, false}) {
    SCOPED_TRACE(is_absent);
    if (is_absent) berth_where("absent", absent);
    else berth_where_nft_is_broken();
    const command_output made = run({"run", "--id", "none-made", "--rootfs", rootfs_, "--", "true"});
    EXPECT_EQ(made.code, 1);
    EXPECT_NE(made.err.find(is_absent ? "nft is not installed" : "Operation not supported"), std::string::npos)
        << made.err;
    EXPECT_EQ(run({"ls", "--ids"}).out, "");
    EXPECT_EQ(run(run_words({"--", "true"})).code, 0);
    const command_output gc = run({"gc"});
    EXPECT_EQ(gc.code, 0) << gc.err;
    EXPECT_EQ(gc.err.find("nft does not work") == std::string::npos, is_absent) << gc.err;
    berth_ = real_;
    EXPECT_EQ(left_now(), "");
  }
  // A table that is there all the same is found as soon as nft works.
  ASSERT_EQ(run({"run", "-d", "--id", "box", "--rootfs", rootfs_}).code, 0);
  berth_where_nft_is_broken();
  EXPECT_EQ(run({"rm", "--force", "box"}).code, 0);
  berth_ = real_;
  EXPECT_NE(left_now(), "");
  EXPECT_EQ(run({"gc"}).code, 0);
  EXPECT_EQ(left_now(), "");
}

// As where a hundred sandboxes go at once: those that end by force have 2 s, and nft is not one that hangs.
TEST_F(CommandNft, ASlowOneIsWaitedForAlsoByForce) {
  ASSERT_EQ(run({"run", "-d", "--id", "box", "--rootfs", rootfs_}).code, 0);
  berth_where_nft_is("slow", "sleep 3\nexec /mnt/nft \"$@\"\n");
  const command_output removed = run({"rm", "--force", "box"});
  EXPECT_EQ(removed.code, 0) << removed.err;
  berth_ = real_;
  EXPECT_EQ(left_now(), "");
}

// What could not be removed is told with its id, and goes by another rm.
TEST_F(CommandNft, OneThatHangsIsToldWithTheSandbox) {
  for (const char* id : {"one", "two"}) ASSERT_EQ(run({"run", "-d", "--id", id, "--rootfs", rootfs_}).code, 0);
  berth_where_nft_is("hanging", "exec sleep 1000\n");
  const command_output stuck = run({"rm", "--force", "one", "two"});
  EXPECT_EQ(stuck.code, 3);
  EXPECT_NE(stuck.err.find("one: the program did not end in time and was killed (nft)"), std::string::npos)
      << stuck.err;
  EXPECT_NE(stuck.err.find("what is left of it goes by `berth rm two`"), std::string::npos) << stuck.err;
  berth_ = real_;
  EXPECT_EQ(run({"rm", "one", "two"}).out, "one\ntwo\n");
  EXPECT_EQ(left_now(), "");
}

}  // namespace
}  // namespace berth_test
