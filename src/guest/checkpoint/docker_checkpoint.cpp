// SPDX-License-Identifier: Apache-2.0
#include "docker_checkpoint.hpp"

#include "base/complain.hpp"
#include "docker_containers.hpp"
#include "internet_sockets.hpp"
#include "published_ports.hpp"
#include "start/network.hpp"

#include <utility>

namespace berth::guest {

std::string docker_checkpoint::prepare(bool for_good) {
  wait_for_containers(std::exchange(beginning_, {}));
  docker_links running = read_docker_links();
  cut_off_ = mark_cut_off_containers(running, cut_off_);
  if (std::string why = what_keeps_restore_waiting(running, for_good, ports_before_); !why.empty()) return why;
  saved_with_ports_ = ports_before_ || publishes_ports();
  stopped_ = stop_cut_off_containers(running);
  give_up_published_ports();
  return {};
}

void docker_checkpoint::cut_links() {
  links_ = read_docker_links();
  network_ = read_network_record();
  (void)mark_cut_off_containers(links_, cut_off_);
  if (const std::string failed = cut_docker_links(links_); !failed.empty())
    complain("Docker's links cannot be removed: " + failed);
}

void docker_checkpoint::come_back(const guest_wake& wake) {
  std::string failed = make_docker_links(links_, network_.rules.address);
  // A copy starts without rules, and has an address of its own.
  if (wake.restored && !network_.rules.iptables.empty()) {
    if (!network_.rules.address.empty()) network_.rules.address = wake.address;
    failed += set_up_network(network_);
  }
  if (!failed.empty()) complain("Docker's network is not as it was: " + failed);
  take_up_published_ports();
  // In the sandbox that goes on, too: gVisor freezes sockets to save them, and sees to the root namespace's only afterwards
  // (Kernel.SaveTo, release-20260905.0).
  beginning_ = begin_containers_again(std::exchange(stopped_, {}), links_);
  if (wake.restored) ports_before_ = saved_with_ports_;
}

}  // namespace berth::guest
