// SPDX-License-Identifier: Apache-2.0
// A guest as an ordinary process of this host, as an embedder starts it in a sandbox with an init of its own.
#pragma once

#include "../process/loop.hpp"

#include <berth/guest/executor.hpp>
#include <berth/process/process.hpp>
#include <berth/readiness/guarded_socket.hpp>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace berth::test {

inline std::string slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class GuestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/berth-guest-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    executor_ = std::make_unique<guest_executor>(directory_ + "/guest.sock");
    executor_->patience = seconds(60);  // under sanitizers, on a loaded machine
    pid_ = ::fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      const std::string socket = directory_ + "/guest.sock";
      ::execl(BERTH_GUEST_PROGRAM, "berth-init", "--socket", socket.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 6000 && !connect_guarded(directory_ + "/guest.sock"); ++i) ::usleep(10000);
  }

  void TearDown() override {
    stop_guest();
    std::filesystem::remove_all(directory_);
  }

  void stop_guest() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    pid_ = -1;
  }

  /// For a guest that ends by itself: gives its exit code, or -1.
  int wait_for_guest() {
    int status = 0;
    if (::waitpid(std::exchange(pid_, -1), &status, 0) < 0 || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
  }

  guest_executor& executor() { return *executor_; }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  std::unique_ptr<guest_executor> executor_;
  pid_t pid_ = -1;
};

}  // namespace berth::test
