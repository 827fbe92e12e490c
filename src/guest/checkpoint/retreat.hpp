// SPDX-License-Identifier: Apache-2.0
// While a checkpoint of the sandbox is made the guest has no socket and no file open on the host's side, and nobody can tell it
// anything: it looks for a file. In a copy that is restored from the checkpoint that file is there from the beginning.
#pragma once

#include "docker_links.hpp"
#include "base/event_loop.hpp"
#include "start/network_record.hpp"

#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>

#include <functional>
#include <string>
#include <vector>

namespace berth::guest {

class retreat {
 public:
  using handler = std::function<void(const guest_wake&, std::vector<pid_t> beginning)>;

  /// Begins it. `over` is called once: with what the file says, when it is there, or as after an ordinary checkpoint when nobody
  /// has made one for a while. In a copy that was restored, Docker's network, where `docker`, is in order by then.
  /// Containers that were `stopped` for it are begun again then, and those that run of the `cut_off`, by the processes that `over`
  /// is given.
  retreat(event_loop& loop, std::string directory, bool docker, std::vector<std::string> stopped,
          const std::vector<std::string>& cut_off, handler over);
  retreat(const retreat&) = delete;
  retreat& operator=(const retreat&) = delete;
  ~retreat();

 private:
  void look();
  void end(const guest_wake& wake);

  event_loop& loop_;
  std::string wake_;
  handler over_;
  bool docker_;
  std::string hostname_;              ///< as it was
  std::vector<std::string> stopped_;  ///< containers
  docker_links links_;
  network_record network_;
  unique_fd timer_;
  int looks_ = 0;
};

}  // namespace berth::guest
