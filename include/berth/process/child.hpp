// SPDX-License-Identifier: Apache-2.0
// A process of ours, and what it is given.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <sys/types.h>

namespace berth {

/// A descriptor of ours under the number that the child is to see. The source is borrowed and stays open here.
struct fd_mapping {
  int source = -1;
  int target = -1;
};

/// A started child. Whoever owns it must reap it by waitid(P_PIDFD), once.
struct child {
  pid_t pid = -1;
  unique_fd pidfd;
};

}  // namespace berth
