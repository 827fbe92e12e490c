// SPDX-License-Identifier: Apache-2.0
// One thing that a machine has, lacks, or has in a form that does not do.
#pragma once

#include <string>

namespace berth {

enum class check_state { found, missing, unfit };

struct machine_check {
  std::string name;  ///< "kernel", "runsc", "nft", "rootfs dockerd"
  check_state state = check_state::found;
  std::string what;    ///< what was found, or why it does not do
  std::string remedy;  ///< what to do about it, or empty
  bool needed = true;  ///< without it nothing works; otherwise it is an extra
};

}  // namespace berth
