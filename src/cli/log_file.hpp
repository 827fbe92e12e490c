// SPDX-License-Identifier: Apache-2.0
// Showing log files.
#pragma once

#include <berth/base/log_file.hpp>

#include <functional>
#include <string>

namespace berth::cli {

/// Copies `path`.1 and `path` to standard output; where `follow` is true goes on with what is appended, across
/// rotations, until `ended()` says that nothing more will come. Gives false when standard output is closed.
/// Errors: not_found when there is no such log.
result<bool> print_log(const std::string& path, bool follow, const std::function<bool()>& ended);

}  // namespace berth::cli
