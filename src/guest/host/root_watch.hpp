// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace berth::guest {

/// `berth-init watch ROOT PROGRAM`, on the host, with a locked descriptor of the root directory (root_watch_fd): goes on watching
/// in a process of its own, and returns as soon as that does. PROGRAM is the berth command, or empty. The exit code of the
/// program.
int watch_root(const char* root, const char* program);

}  // namespace berth::guest
