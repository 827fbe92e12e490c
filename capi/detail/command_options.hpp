// SPDX-License-Identifier: Apache-2.0
// What the options of a call say of a command itself, wherever one is given.
#pragma once

#include "options.hpp"

#include <berth/process/executor.hpp>

namespace berth::capi {

/// Its "argv", which is needed, "env", "cwd" and "user".
inline void read_command(options_object& o, command& what) {
  o.into(what.argv, o.texts("argv"));
  o.into(what.env, o.environment("env"));
  o.into(what.cwd, o.text("cwd"));
  o.into(what.user, o.text("user"));
  if (what.argv.empty() || what.argv[0].empty()) o.complain("argv", "a command has at least its program");
}

}  // namespace berth::capi
