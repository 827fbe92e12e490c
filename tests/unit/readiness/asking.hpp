// SPDX-License-Identifier: Apache-2.0
// Probes asked once, and addresses for them.
#pragma once

#include "../process/loop.hpp"

#include <berth/readiness/poll.hpp>

#include <string>

namespace berth::test {

inline socket_address at(const std::string& path, bool guarded = false) {
  socket_address a;
  a.unix_path = path;
  a.guarded = guarded;
  return a;
}

inline probe_outcome ask(probe& p, duration limit = seconds(60)) { return run(p.ask(deadline_after(limit))); }

inline poll_options within(duration d) {
  poll_options o;
  o.deadline = deadline_after(d);
  return o;
}

}  // namespace berth::test
