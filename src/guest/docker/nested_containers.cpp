// SPDX-License-Identifier: Apache-2.0
#include "nested_containers.hpp"

#include <berth/base/file.hpp>

#include <dirent.h>

#include <memory>
#include <string>

namespace berth::guest {

namespace {

/// Whether a process here has a name that `fits`. The kernel cuts a name after 15 characters.
template <class Fits>
bool some_process(Fits fits) {
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("/proc"), &::closedir);
  while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    if (fits(read_system_file(std::string("/proc/") + entry->d_name + "/comm", 64))) return true;
  }
  return false;
}

}  // namespace

bool runs_nested_containers() {
  // A step of a build has no shim: dockerd runs runc itself, to its end.
  return some_process([](const std::string& name) { return name == "containerd-shim\n" || name.starts_with("runc"); });
}

bool publishes_ports() {
  return some_process([](const std::string& name) { return name == "docker-proxy\n"; });
}

}  // namespace berth::guest
