// SPDX-License-Identifier: Apache-2.0
// How much memory files take: in gVisor those of a tmpfs are memory of whoever wrote them.
#pragma once

#include <cstdint>
#include <string>

namespace berth::guest {

/// Bytes of the regular files below a directory, or of one file, that lie on a tmpfs; 0 where it lies on anything else. Other file
/// systems that are mounted below are left out, and a file of two names counts once. Stops at `limit` bytes or 200,000 files: there
/// is at least so much.
std::uint64_t bytes_on_tmpfs(const std::string& path, std::uint64_t limit);

}  // namespace berth::guest
