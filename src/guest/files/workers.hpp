// SPDX-License-Identifier: Apache-2.0
// Processes of the guest's that see to the sandbox's files, one for each connection of the host's that asked for any: what takes
// long, or hangs, keeps nobody else waiting.
#pragma once

#include <berth/guest/protocol.hpp>

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace berth::guest {

class host_link;

class file_workers {
 public:
  file_workers() = default;
  file_workers(const file_workers&) = delete;
  file_workers& operator=(const file_workers&) = delete;
  ~file_workers();

  /// Starts one that answers `request`, and what follows it, on `socket`, which stays the caller's here and is to be closed.
  /// `reader`: with what was received after the request; `unsent`: what is yet to be sent. 0 or errno.
  int start(int socket, const guest_frame_reader& reader, const std::string& unsent, std::string_view request);
  /// A child of the guest's was reaped.
  void forget(pid_t pid);
  /// How many have a request under way. One that is about to have answered is waited for, for a moment: its host may have the answer
  /// already, and goes on by it.
  std::size_t busy() const;
  bool empty() const { return workers_.empty(); }
  /// Those without one: their connections are cut.
  void end_all();

 private:
  enum class work { none, request, answer };
  /// In memory that both see.
  struct shared {
    std::atomic<work> now{work::request};
  };
  bool some_answer() const;
  static void serve(host_link& host, std::string request, std::atomic<work>& now);
  std::unordered_map<pid_t, shared*> workers_;
};

}  // namespace berth::guest
