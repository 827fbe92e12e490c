// SPDX-License-Identifier: Apache-2.0
// What becomes of Docker at a checkpoint: what it is asked before, what is taken away while it is made, and what is made anew
// afterwards, in the sandbox that goes on as in a copy.
#pragma once

#include "docker_links.hpp"
#include "start/network_record.hpp"

#include <berth/guest/protocol.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace berth::guest {

class docker_checkpoint {
 public:
  /// Has Docker stop the containers that would not get through, and gives up published ports. Waits for that. Gives why it cannot
  /// be saved, for people, where it cannot: all is as it was then. `for_good`: the sandbox ends with it, and is restored from it.
  std::string prepare(bool for_good);
  /// Takes away the links of the containers, which gVisor cannot save. The last step before the checkpoint.
  void cut_links();
  /// Makes the links anew, takes up the ports, begins the containers. In a copy the rules of the firewall as well.
  void come_back(const guest_wake& wake);

 private:
  docker_links links_;
  network_record network_;
  std::vector<std::string> cut_off_;  ///< containers that were stopped for a checkpoint, or restarted
  std::vector<std::string> stopped_;  ///< those of them that Docker stopped for this one
  std::vector<pid_t> beginning_;      ///< have Docker begin containers again
  bool ports_before_ = false;         ///< it was restored from what was saved with published ports
  bool saved_with_ports_ = false;     ///< the same of what is being saved
};

}  // namespace berth::guest
