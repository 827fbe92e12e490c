// SPDX-License-Identifier: Apache-2.0
// What the guest's other processes report to it: a socket inside, root's alone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace berth::guest {

/// The guest's own directory.
inline constexpr const char* guest_directory = "/run/berth-guest";

class event_inbox {
 public:
  /// `killed`: a container, and its limit in bytes. Where it cannot listen nothing is heard, and that is complained of.
  event_inbox(const boost::asio::any_io_executor& on, std::function<void(std::string, std::uint64_t)> killed);
  event_inbox(const event_inbox&) = delete;
  event_inbox& operator=(const event_inbox&) = delete;
  ~event_inbox();

 private:
  struct state;
  static void listen(const std::shared_ptr<state>& held);
  std::shared_ptr<state> state_;
};

/// From any process of root's inside: a container was over its memory limit and is killed. Never waits.
void report_memory_kill(const std::string& container, std::uint64_t limit);

}  // namespace berth::guest
