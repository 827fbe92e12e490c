// SPDX-License-Identifier: Apache-2.0
// `berth shell`: a shell on a terminal in a running sandbox.
#include "verbs/exec.hpp"

namespace berth::cli {

void add_shell(CLI::App& app, invocation& call) {
  auto c = std::make_shared<exec_call>();
  c->terminal = true;
  add_exec_options(app, *c);
  add_examples(app, {"berth shell box", "berth shell --user 1000 --cwd /src box"});
  app.callback([c, &call] {
    call.act = [c, &call] {
      // The best that is there, and as a login shell, which reads the profile.
      return exec_in(*c, {"sh", "-c", "exec \"$(command -v bash || echo sh)\" -l"}, call);
    };
  });
}

}  // namespace berth::cli
