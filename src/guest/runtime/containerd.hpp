// SPDX-License-Identifier: Apache-2.0
// Short paths for the layers of deep images in containerd's overlay snapshotter (Docker 29's default): mount(2) takes one page
// of options, and where the layers' paths have no place in it, containerd mounts by relative ones, which gVisor's overlay
// refuses (gvisor#14699).
#pragma once

#include <string>
#include <string_view>

namespace berth::guest {

/// What the snapshotter's directory is called for its mounts: a link to where it is.
inline constexpr const char* short_snapshots = "/run/.l";

/// containerd's `config`, as dockerd writes it, with the snapshotter's directory given as `link`, and in `directory` where it
/// was. Empty where it says something of its own, or is not understood: it is left alone.
std::string with_short_snapshots(std::string_view config, std::string_view link, std::string& directory);

/// Called as `containerd`, becomes the real one. Does not return where it can; else the exit code of the program.
int run_containerd(int argc, char** argv);

}  // namespace berth::guest
