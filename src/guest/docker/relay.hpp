// SPDX-License-Identifier: Apache-2.0
// dockerd's socket for the host. dockerd itself listens inside only: a socket that is bound in a directory of the host's cannot
// be saved by a checkpoint (release-20260701.0: "Cannot save endpoint with bound host socket"), and dockerd gives none up. So
// the guest listens there, and hands on what is said.
#pragma once

#include "base/event_loop.hpp"

#include <berth/base/unique_fd.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace berth::guest {

class relay {
 public:
  /// From the socket `from`, which listen() binds, to what `connect` gives: no descriptor where nobody listens.
  relay(event_loop& loop, std::string from, std::function<unique_fd()> connect)
      : loop_(loop), from_(std::move(from)), connect_(std::move(connect)) {}
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay() { close(); }

  /// False, with errno, where the socket cannot be bound. One that listens already stays as it is.
  bool listen();
  /// Hands on what those who have connected to this socket say.
  void accept_from(int listener);
  /// Nobody listens any more; what is under way goes on.
  void stop_listening();
  /// The same, and every connection is cut.
  void close();

  bool has_clients() const { return !links_.empty(); }
  /// Whether a client waits for an answer of the other end's.
  bool in_use() const;
  /// When something was said last, or a client came or went. std::chrono::steady_clock's least where nobody ever came.
  std::chrono::steady_clock::time_point last_use() const { return last_use_; }

 private:
  class link;

  event_loop& loop_;
  std::string from_;
  std::function<unique_fd()> connect_;
  unique_fd listener_;
  std::chrono::steady_clock::time_point last_use_{};
  std::unordered_map<link*, std::shared_ptr<link>> links_;
};

}  // namespace berth::guest
