// SPDX-License-Identifier: Apache-2.0
// The nested runtime: called as `runc` inside a sandbox, it takes from a container's spec what the sandbox cannot give, then
// becomes the real runc.
#pragma once

namespace berth::guest {

inline constexpr const char* runtime_directory = "/run/berth-docker";
inline constexpr const char* runtime_path = "/run/berth-docker/bin";  ///< first in dockerd's PATH
/// What prepare_for_docker() leaves for it, one item a line: `runc PATH`, the real one, and `unmask`, where runc cannot
/// cover a directory on this runsc.
inline constexpr const char* runtime_settings = "/run/berth-docker/runtime";

/// Does not return where it can become runc; else the exit code of the program.
int run_nested_runtime(int argc, char** argv);

}  // namespace berth::guest
