// SPDX-License-Identifier: Apache-2.0
#include "nested_containers.hpp"

#include "base/processes.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace berth::guest {

bool runs_nested_containers() {
  const std::vector<pid_t> all = processes();
  return std::any_of(all.begin(), all.end(), [](pid_t pid) {
    const std::string name = name_of_process(pid);
    // A step of a build has no shim: dockerd runs runc itself, to its end.
    return name == "containerd-shim" || name.starts_with("runc");
  });
}

}  // namespace berth::guest
