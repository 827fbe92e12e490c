// SPDX-License-Identifier: Apache-2.0
#include "published_ports.hpp"

#include "base/pause.hpp"
#include "base/processes.hpp"
#include "runtime/port_proxy.hpp"

#include <algorithm>
#include <csignal>
#include <set>
#include <string>
#include <vector>

namespace berth::guest {
namespace {

constexpr int give_up_limit_ms = 3'000;

}  // namespace

bool publishes_ports() {
  const std::vector<pid_t> all = processes();
  return std::any_of(all.begin(), all.end(), [](pid_t pid) {
    const std::string name = name_of_process(pid);
    return name == "docker-proxy" || name == port_proxy_name;
  });
}

void give_up_published_ports() {
  std::set<pid_t> asked;
  for (int looks = 0; looks < give_up_limit_ms; ++looks) {
    bool all_away = true;
    for (const pid_t pid : processes()) {
      const std::string name = name_of_process(pid);
      // One that dockerd is starting just now is not ready for a signal, which would end it.
      const bool starts = name == "docker-proxy";
      if ((!starts && name != port_proxy_name) || !runs_this_program(pid)) continue;
      all_away = false;
      if (!starts && asked.insert(pid).second) ::kill(pid, SIGUSR1);
    }
    if (all_away) return;
    pause_for(1);
  }
}

void take_up_published_ports() {
  for (const pid_t pid : processes())
    if (name_of_process(pid) == port_proxy_away_name && runs_this_program(pid)) ::kill(pid, SIGUSR2);
}

}  // namespace berth::guest
