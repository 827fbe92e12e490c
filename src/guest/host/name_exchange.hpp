// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/event_loop.hpp"
#include "dns_message.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace berth::guest {

/// One question to the host's name servers, over UDP and, where the answer does not fit, over TCP: to one after the other until
/// one has an answer.
class name_exchange : public std::enable_shared_from_this<name_exchange> {
 public:
  /// The answer of the last server that had one; empty where none had.
  using handler = std::function<void(std::string answer)>;

  name_exchange(event_loop& loop, std::vector<std::uint32_t> servers, dns_question question, handler done);
  void start() { attempt(); }
  /// To be called every now and then.
  void look_at_time(time_point now);
  /// No answer is wanted any more.
  void stop();

 private:
  void attempt();
  void begin(int kind);
  void receive();
  void talk(std::uint32_t events);
  void take(std::string answer);
  void close();
  void finish(std::string answer);

  event_loop& loop_;
  std::vector<std::uint32_t> servers_;
  dns_question question_;
  handler done_;
  unique_fd socket_;
  std::uint16_t id_ = 0;
  std::size_t attempts_ = 0;
  std::string out_, in_;  // over TCP
  std::string last_;
  time_point deadline_;
};

}  // namespace berth::guest
