// SPDX-License-Identifier: Apache-2.0
// A root directory of its own, the machine's runsc and root file system, and a check that nothing is left.
#pragma once

#include "census.hpp"
#include "host_shell.hpp"
#include "loop.hpp"

#include <berth/process/executor.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace berth_test {

/// Everything is made in a root directory of the test's own, directly below /tmp (sockets have short paths), and must be
/// gone at the end of the test. Without root, runsc or root file system a test fails: scripts/setup provides them.
class sandbox_test : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// `config` with the test's root file system and no network, which is what most tests need.
  berth::sandbox_config config(berth::network_mode network = berth::network_mode::none) const;

  /// Creates a sandbox; a failure is the test's.
  std::shared_ptr<berth::sandbox> create(berth::sandbox_config what);

  /// Runs a command inside to its end.
  berth::result<berth::command_result> exec(berth::sandbox& box, berth::command what, berth::stdio_options io = {},
                                            berth::time_point deadline = berth::time_point::max());
  berth::result<berth::command_result> exec(berth::sandbox& box, std::vector<std::string> argv);
  /// What `sh -c script` prints, without the newline at the end, and its exit code where that is not 0.
  std::string shell(berth::sandbox& box, const std::string& script);
  static std::string host_shell(const std::string& script) { return berth_test::host_shell(script); }

  void terminate(berth::sandbox& box);

  loop loop_;
  berth::environment where_;
  std::string rootfs_;
  census before_;
  bool ready_ = false;
};

}  // namespace berth_test
