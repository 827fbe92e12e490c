// SPDX-License-Identifier: Apache-2.0
// A sandbox with Docker, supervised; and what tests ask of it.
#pragma once

#include "sandbox_fixture.hpp"

#include <berth/docker/client.hpp>
#include <berth/managed/docker_sandbox.hpp>

#include <memory>
#include <string>
#include <vector>

namespace berth_test {

class docker_test : public sandbox_test {
 protected:
  /// Gives `what` Docker by the recipe, creates it, and makes a supervisor for it, which is not started yet.
  void make(berth::docker_recipe recipe = tmpfs_recipe(), berth::network_mode network = berth::network_mode::sandbox);
  void make(berth::docker_recipe recipe, berth::sandbox_config what);

  /// Applies `options_` and starts the daemon.
  berth::result<void> start();
  /// make, start, and a failure is the test's.
  void up();

  /// `docker ARGS…` inside: what it prints, without the newline at the end; a failure is the test's.
  std::string docker(std::vector<std::string> args);
  /// Loads BERTH_TEST_IMAGE, after which containers of image() can be run.
  void load_image();
  static std::string image();

  /// Destroys the supervisor and then removes the sandbox.
  void down();
  void TearDown() override;

  /// Data root on a tmpfs.
  static berth::docker_recipe tmpfs_recipe();
  /// Every log event of berth's so far, one a line in console form.
  std::string logged() const;
  const berth::log_event* find_log(std::string_view message) const;
  static std::string field(const berth::log_event& event, std::string_view key);

  std::shared_ptr<berth::sandbox> box_;
  berth::supervisor_options options_;
  std::unique_ptr<berth::daemon_supervisor> daemon_;
  std::vector<berth::log_event> events_;
  std::vector<std::string> daemon_lines_;
};

}  // namespace berth_test
