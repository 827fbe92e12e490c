// SPDX-License-Identifier: Apache-2.0
// --env and --env-file, as docker has them.
#pragma once

#include "options/options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// What is given for the environment inside.
struct variable_options {
  std::vector<std::string> env;    ///< NAME=VALUE, or NAME: its value in our own environment, nothing where it has none
  std::vector<std::string> files;  ///< of such lines
};
void add_variables(CLI::App& app, variable_options& into);

/// The lines of a file: NAME=VALUE as it stands or NAME, empty ones and those that begin with # passed over. Pure.
/// Errors: a usage error with the number of the line.
result<std::vector<std::string>> parse_env_file(std::string_view text, const std::string& path);

/// All of it as "NAME=VALUE", the files' first. Reads them. Errors: usage errors, which show no value.
result<std::vector<std::string>> gather_variables(const variable_options& given);

}  // namespace berth::cli
