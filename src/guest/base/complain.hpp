// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace berth::guest {

/// A line on standard error, which is the sandbox's init log on the host.
inline void complain(const std::string& what) {
  const std::string line = "berth-init: " + what + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

/// The same with what errno says.
inline void complain_errno(const std::string& what) { complain(what + ": " + std::strerror(errno)); }

}  // namespace berth::guest
