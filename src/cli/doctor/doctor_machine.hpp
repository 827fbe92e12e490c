// SPDX-License-Identifier: Apache-2.0
// The library's checks of this machine, and those of what only the command uses.
#pragma once

#include <berth/managed/machine_checks.hpp>

#include <vector>

namespace berth::cli {

/// check_machine, and the Docker client for `berth docker`.
std::vector<machine_check> examine_machine(const environment& where, const examined_rootfs& rootfs);

}  // namespace berth::cli
