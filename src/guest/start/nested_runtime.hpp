// SPDX-License-Identifier: Apache-2.0
// What stands before runc and containerd in dockerd's PATH, and the mounts and limits that containers need.
#pragma once

#include "start/say.hpp"

#include <berth/docker/start_arguments.hpp>

#include <string>

namespace berth::guest {

/// Puts this program before `runc` as the nested runtime, and before containerd, under their names and first in PATH: dockerd,
/// containerd's shim and BuildKit all look there, and no container keeps another runtime's name. Makes `/` a shared mount. The
/// reason where it could not; else empty.
std::string put_runtime_in_place(docker_start_arguments::runtime which, const start_markers& tell);

}  // namespace berth::guest
