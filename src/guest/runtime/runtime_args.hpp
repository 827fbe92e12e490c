// SPDX-License-Identifier: Apache-2.0
// runc's command line, as far as the nested runtime must know it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace berth::guest {

struct runc_arguments {
  std::string_view verb;    ///< "create", "run", "exec", "update" …; empty: none, for instance `runc --version`
  std::size_t verb_at = 0;  ///< its place among the arguments; their number where there is no verb
  std::string_view root = "/run/runc";  ///< --root, where runc keeps its containers' states
  std::string_view log;                 ///< --log, where runc's errors are read from
  bool log_json = false;                ///< --log-format json
  std::string bundle = ".";             ///< --bundle
  std::string_view process;             ///< --process of exec; empty: none
  std::string_view pid_file;            ///< --pid-file of create
  std::string_view id;                  ///< the container's
  bool console = false;                 ///< --console-socket: a terminal, whose other end is taken once
  bool keyring_said = false;            ///< --no-new-keyring is there
};

/// `args` is without the program's own name. Flags as runc reads them: with one dash or two, the value behind `=` or next.
runc_arguments read_runc_arguments(std::span<char* const> args);

}  // namespace berth::guest
