// SPDX-License-Identifier: Apache-2.0
// Telling a child after fork from the process that made an object, without a system call.
#pragma once

#include <sys/types.h>

namespace berth::capi {

/// The pid of this process. Kept on a page that the kernel empties in a child (MADV_WIPEONFORK, Linux 4.14), so that a
/// call costs one load, and so that neither an atfork handler nor trust in a cached number is needed.
pid_t this_process() noexcept;

}  // namespace berth::capi
