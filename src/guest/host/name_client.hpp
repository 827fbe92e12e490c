// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/event_loop.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace berth::guest {

class name_server;

/// A connection on which a sandbox asks for names: one question after the other.
class name_client : public std::enable_shared_from_this<name_client> {
 public:
  name_client(event_loop& loop, std::weak_ptr<name_server> server, unique_fd socket);
  bool start();
  void stop();
  bool is_over(time_point now) const { return now >= deadline_; }

 private:
  void talk();
  void next();
  void end();

  event_loop& loop_;
  std::weak_ptr<name_server> server_;
  unique_fd socket_;
  std::string in_, out_;
  bool waits_ = false;  // for an answer
  bool deaf_ = false;   // nothing more comes
  time_point deadline_;
};

}  // namespace berth::guest
