// SPDX-License-Identifier: Apache-2.0
// While a checkpoint of the sandbox is made the guest has no socket and no file open on the host's side, and nobody can tell it
// anything: it looks for a file. In a copy that is restored from the checkpoint that file is there from the beginning.
#pragma once

#include "base/event_loop.hpp"
#include "docker_checkpoint.hpp"

#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>

#include <functional>
#include <string>

namespace berth::guest {

class retreat {
 public:
  using handler = std::function<void(const guest_wake&)>;

  /// Begins it. `over` is called once: with what the file says, when it is there, or as after an ordinary checkpoint when nobody
  /// has made one for a while. `docker`, where the sandbox has one, is prepared, and has come back by then.
  retreat(event_loop& loop, std::string directory, docker_checkpoint* docker, handler over);
  retreat(const retreat&) = delete;
  retreat& operator=(const retreat&) = delete;
  ~retreat();

 private:
  void look();
  void end(const guest_wake& wake);

  event_loop& loop_;
  std::string wake_;
  handler over_;
  docker_checkpoint* docker_;
  std::string hostname_;  ///< as it was
  unique_fd timer_;
  int looks_ = 0;
};

}  // namespace berth::guest
