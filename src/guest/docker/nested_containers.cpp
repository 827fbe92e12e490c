// SPDX-License-Identifier: Apache-2.0
#include "nested_containers.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>

#include <memory>
#include <string>

namespace berth::guest {

bool runs_nested_containers() {
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("/proc"), &::closedir);
  while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const std::string name = read_system_file(std::string("/proc/") + entry->d_name + "/comm", 64);
    // The kernel cuts a name after 15 characters. A step of a build has no shim: dockerd runs runc itself, to its end.
    if (name == "containerd-shim\n" || name.starts_with("runc")) return true;
  }
  return false;
}

}  // namespace berth::guest
