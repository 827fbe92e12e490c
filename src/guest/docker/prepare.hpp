// SPDX-License-Identifier: Apache-2.0
// What the sandbox needs once before dockerd starts, and that no file of the root file system may do for it.
#pragma once

#include <string_view>

namespace berth::guest {

/// Puts this program before `runc` (the path of the real one, or empty) as the nested runtime and before containerd, and makes `/` a shared mount.
/// `unmask`: runc cannot cover a directory on this runsc. Says on stderr what failed. The exit code of the program.
int prepare_for_docker(std::string_view runc, bool unmask);

}  // namespace berth::guest
