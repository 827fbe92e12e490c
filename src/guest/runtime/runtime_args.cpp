// SPDX-License-Identifier: Apache-2.0
#include "runtime_args.hpp"

#include <algorithm>

namespace berth::guest {
namespace {

// Flags that take the next argument for their value (runc 1.0 to 1.5).
bool takes_value(std::string_view flag, std::string_view verb) {
  static constexpr std::string_view global[] = {"root", "log", "log-format", "criu", "rootless"};
  static constexpr std::string_view of_start[] = {"bundle",       "b",           "console-socket", "pid-file",
                                                  "preserve-fds", "pidfd-socket"};
  static constexpr std::string_view of_exec[] = {"process",
                                                 "p",
                                                 "console-socket",
                                                 "pid-file",
                                                 "preserve-fds",
                                                 "pidfd-socket",
                                                 "cwd",
                                                 "env",
                                                 "e",
                                                 "user",
                                                 "u",
                                                 "additional-gids",
                                                 "g",
                                                 "cap",
                                                 "c",
                                                 "cgroup",
                                                 "apparmor",
                                                 "process-label"};
  static constexpr std::string_view of_update[] = {"resources",       "r",
                                                   "blkio-weight",    "cpu-period",
                                                   "cpu-quota",       "cpu-burst",
                                                   "cpu-rt-period",   "cpu-rt-runtime",
                                                   "cpu-share",       "cpu-idle",
                                                   "cpuset-cpus",     "cpuset-mems",
                                                   "kernel-memory",   "kernel-memory-tcp",
                                                   "memory",          "memory-reservation",
                                                   "memory-swap",     "pids-limit",
                                                   "l3-cache-schema", "mem-bw-schema"};
  const auto in = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), flag) != std::end(names);
  };
  if (verb.empty()) return in(global);
  if (verb == "create" || verb == "run" || verb == "restore") return in(of_start);
  if (verb == "update") return in(of_update);
  return verb == "exec" && in(of_exec);
}

}  // namespace

runc_arguments read_runc_arguments(std::span<char* const> args) {
  runc_arguments out;
  out.verb_at = args.size();
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string_view word = args[i];
    if (word.size() < 2 || word.front() != '-') {
      if (!out.verb.empty()) {
        out.id = word;
        break;  // what follows is its command's
      }
      out.verb = word;
      out.verb_at = i;
      continue;
    }
    if (word == "--") break;
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = word.find('=');
    const std::string_view flag = word.substr(0, equals);
    std::string_view value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);
    else if (takes_value(flag, out.verb) && i + 1 < args.size()) value = args[++i];
    if (out.verb.empty()) {
      if (flag == "root") out.root = value;
      if (flag == "log") out.log = value;
      if (flag == "log-format") out.log_json = value == "json";
    } else {
      const bool starts = out.verb == "create" || out.verb == "run";
      if (starts && (flag == "bundle" || flag == "b")) out.bundle = value;
      if (starts && flag == "pid-file") out.pid_file = value;
      if (starts && flag == "console-socket") out.console = true;
      if (starts && flag == "no-new-keyring") out.keyring_said = true;
      if (out.verb == "exec" && (flag == "process" || flag == "p")) out.process = value;
    }
  }
  return out;
}

}  // namespace berth::guest
