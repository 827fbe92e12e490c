// SPDX-License-Identifier: Apache-2.0
// The berth command as a user calls it: a process of its own, with a root directory of its own.
#pragma once

#include "census.hpp"

#include <berth/spec/json.hpp>

#include <gtest/gtest.h>

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth_test {

struct command_output {
  int code = -1;  ///< the shell's convention
  std::string out;
  std::string err;
};

/// A started command. One that still runs when it goes out of scope is killed.
class started_command {
 public:
  started_command(pid_t pid, int out, int err) : pid_(pid), out_(out), err_(err) {}
  ~started_command();
  started_command(const started_command&) = delete;
  started_command& operator=(const started_command&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int signo) const;
  /// Reads stderr until `text` is in it; false when it ends before. What was read is kept for `finish`.
  bool wait_for_stderr(const std::string& text);
  /// Whether it has ended, with nothing read of what it wrote.
  bool ended() const;
  /// Reads both to their end, then reaps.
  command_output finish();

 private:
  void read_some();
  pid_t pid_;
  int out_;
  int err_;
  command_output so_far_;
};

/// JSON out of the command.
class parsed_json {
 public:
  explicit parsed_json(const std::string& text);
  /// The value at a path of keys and indices; compact JSON, a string without its quotes; "(absent)" where there is none.
  std::string at(const std::vector<std::string>& path) const;
  std::size_t size() const;  ///< of the array or object at the root

 private:
  std::optional<berth::parsed_json> content_;
};

class command_test : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  command_output run(std::vector<std::string> words, const std::string& input = {});
  /// Standard output of a call that has to succeed, without the newlines at its end.
  std::string must(std::vector<std::string> words, const std::string& input = {});
  std::unique_ptr<started_command> start(std::vector<std::string> words, const std::string& input = {});
  /// The words for a sandbox of this test's root file system without network, which is what most tests need.
  std::vector<std::string> run_words(std::vector<std::string> more) const;
  /// Waits until `condition` holds; false after a time that is far beyond what it takes.
  static bool eventually(const std::function<bool()>& condition);
  /// The watch of our root directory; 0 where there is none.
  int watch() const;
  /// busybox, in the Docker of a sandbox.
  void load_image(const std::string& id) { must({"docker", id, "--", "load", "-q", "-i", image_}); }
  std::string left_now() const { return left_behind(root_, before_); }

  std::string root_, berth_, runsc_, rootfs_, image_, image_name_;
  std::vector<std::string> variables_;  ///< "K=V" for the commands, before those that each gets
  census before_;
  bool ready_ = false;
};

}  // namespace berth_test
