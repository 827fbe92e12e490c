// SPDX-License-Identifier: Apache-2.0
// A command in a running sandbox with our streams, for the verbs that do that.
#pragma once

#include "options/options.hpp"
#include "options/variables.hpp"

#include <string>
#include <vector>

namespace berth::cli {

struct exec_call {
  std::string id, cwd, user, timeout;
  variable_options variables;
  bool terminal = false;     ///< standard input has to be one
  bool interactive = false;  ///< asks for what happens anyway
  bool via_runsc = false;
};

/// What says where and as whom: ID, variables, directory and user.
void add_exec_options(CLI::App& app, exec_call& c);

/// Runs `words` to their end; gives the exit code of the verb.
int exec_in(const exec_call& c, std::vector<std::string> words, invocation& call);

}  // namespace berth::cli
