// SPDX-License-Identifier: Apache-2.0
// The directory `hibernated` of a sandbox that sleeps on the disk: what runsc wrote, and what is to be known of it. Written by who
// holds the lock of the sandbox's directory.
#pragma once

#include <berth/base/file.hpp>
#include <berth/sandbox/record.hpp>

#include <unistd.h>

#include <string>

namespace berth {

class hibernation {
 public:
  explicit hibernation(const sandbox_record& record)
      : directory_(record.directory + "/hibernated"), docker_socket_(record.shared() + "/docker.sock") {}

  const std::string& directory() const noexcept { return directory_; }
  /// What `runsc restore` reads.
  std::string image() const { return directory_ + "/image"; }

  /// The release of runsc that wrote it, which alone can read it.
  result<std::string> runsc() const { return read_file(directory_ + "/runsc", 256, "sandbox"); }
  result<void> set_runsc(const std::string& release) const {
    return replace_file(directory_ + "/runsc", release, 0600, "sandbox");
  }

  /// Docker's socket for the host. Where it had one, somebody listens in its place until it is back.
  const std::string& docker_socket() const noexcept { return docker_socket_; }
  bool has_docker() const { return ::access((directory_ + "/docker").c_str(), F_OK) == 0; }
  result<void> set_docker() const { return replace_file(directory_ + "/docker", "", 0600, "sandbox"); }

 private:
  std::string directory_, docker_socket_;
};

}  // namespace berth
