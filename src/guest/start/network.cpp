// SPDX-License-Identifier: Apache-2.0
#include "start/network.hpp"

#include "start/bridges.hpp"

#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace berth::guest {

std::string set_up_network(const network_record& what) {
  const bool way_out = !what.rules.address.empty();
  std::string failed;
  if (way_out) {
    const unique_fd forward(::open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC));
    if (!forward || ::write(forward.get(), "1\n", 2) != 2) failed = "cannot set net.ipv4.ip_forward";
  }
  if (what.rules.iptables.empty()) return failed;
  if (!write_network_record(what)) return "cannot write down how the network is set up";
  if (const std::string rules = load_rules(what.rules); !rules.empty()) failed += (failed.empty() ? "" : "; ") + rules;
  if (way_out) start_following_bridges();
  return failed;
}

}  // namespace berth::guest
