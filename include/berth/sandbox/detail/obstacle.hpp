// SPDX-License-Identifier: Apache-2.0
// What of this process and its machine keeps runsc from working, where runsc itself cannot say it.
#pragma once

#include <berth/config.hpp>

#include <string>

namespace berth::detail {

/// A hint on the first that is found, or empty: a full disk or no inodes where `directory` is, limits of the address space
/// and of open files.
BERTH_DECL std::string find_obstacle(const std::string& directory);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/obstacle.ipp>
#endif
