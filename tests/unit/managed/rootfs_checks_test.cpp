// SPDX-License-Identifier: Apache-2.0
#include <berth/managed/machine_checks.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

using namespace berth;
using std::string;

class RootfsChecks : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-doctor-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    top_ = name;
    rootfs_ = top_ + "/rootfs";
    std::filesystem::create_directories(rootfs_ + "/usr/bin");
    std::ofstream(rootfs_ + "/usr/bin/su") << "";
    set(rootfs_ + "/usr/bin/su", 04755);
    set(rootfs_, 0755);
    set(top_, 0755);
  }
  void TearDown() override { std::filesystem::remove_all(top_); }
  static void set(const string& path, mode_t mode) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); }
  machine_check reach() const {
    const auto checks = check_rootfs({rootfs_, {}}, 20260701, true);
    const auto at = std::find_if(checks.begin(), checks.end(),
                                 [](const machine_check& c) { return c.name == "rootfs closed to other users"; });
    EXPECT_NE(at, checks.end());
    return at == checks.end() ? machine_check{} : *at;
  }
  string top_, rootfs_;
};

TEST_F(RootfsChecks, ASetuidProgramThatOthersGetToIsNamed) {
  const machine_check open = reach();
  EXPECT_EQ(open.state, check_state::unfit);
  EXPECT_FALSE(open.needed);
  EXPECT_NE(open.what.find(rootfs_ + "/usr/bin/su"), string::npos) << open.what;
  EXPECT_FALSE(open.remedy.empty());
  set(rootfs_ + "/usr/bin/su", 0755);
  EXPECT_EQ(reach().state, check_state::found);
}

TEST_F(RootfsChecks, OneThatIsClosedIsFit) {
  set(top_, 0700);
  EXPECT_EQ(reach().state, check_state::found);
  set(top_, 0755);
  set(rootfs_, 0700);
  EXPECT_EQ(reach().state, check_state::found);
}

}  // namespace
