// SPDX-License-Identifier: Apache-2.0
// What the options of a call say of a command itself, wherever one is given.
#pragma once

#include "options.hpp"

#include <berth/process/executor.hpp>

namespace berth::capi {

/// Its "argv", "env", "cwd" and "user".
inline void read_command(options_object& o, command& what) {
  o.into(what.argv, o.texts("argv"));
  o.into(what.env, o.environment("env"));
  o.into(what.cwd, o.text("cwd"));
  o.into(what.user, o.text("user"));
}

/// After all others: what is of a wrong type, or no option at all, is told before what is missing.
inline void need_program(options_object& o, const command& what) {
  if (what.argv.empty() || what.argv[0].empty()) o.complain("argv", "a command has at least its program");
}

}  // namespace berth::capi
