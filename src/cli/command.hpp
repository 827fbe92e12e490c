// SPDX-License-Identifier: Apache-2.0
// The whole command but for main().
#pragma once

#include <string>
#include <vector>

namespace berth::cli {

/// Reads the words behind the program's name, does what they say, and gives the exit code. May throw what only a defect
/// or a lack of memory makes.
int run_command_line(std::vector<std::string> words);

}  // namespace berth::cli
