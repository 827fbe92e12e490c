// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/runsc/flags.hpp>

#include <algorithm>
#include <iterator>
#include <string>

namespace berth {
namespace detail {

inline bool is_flag_char(char c) noexcept { return is_word_character(c) || c == '-'; }

/// Go indents the usage text under an option by four blanks and a tab.
inline bool is_usage_line(std::string_view line) noexcept { return line.substr(0, 5) == "    \t"; }

/// The option that a line names, if it names one: "  -name[ value]", or "  -h\tusage" for a name of one letter. Before
/// 2025, runsc's own usage text ran into the first option: "delete [flags] <container ids>  -force".
inline bool read_flag_line(std::string_view line, bool usage_follows, runsc_flag& flag) {
  std::size_t at = line.substr(0, 3) == "  -" ? 0 : std::string_view::npos;
  if (at != 0) {
    if (!usage_follows || is_usage_line(line)) return false;
    at = line.rfind("  -");
    if (at == std::string_view::npos) return false;
  }
  line.remove_prefix(at + 3);
  std::size_t end = 0;
  while (end < line.size() && is_flag_char(line[end])) ++end;
  if (end == 0 || end > 128) return false;
  if (end < line.size() && line[end] != ' ' && line[end] != '\t') return false;
  flag = {};
  flag.name = line.substr(0, end);
  line.remove_prefix(end);
  if (!line.empty() && line.front() == ' ') flag.value = line.substr(1, line.find('\t') - 1);
  return true;
}

/// "(default "text")" or "(default -1)" at the end of a usage text.
inline void read_flag_usage(std::string_view line, bool first, runsc_flag& flag) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  if (first && line.substr(0, 35) == "DEPRECATED: this flag has no effect") flag.no_effect = true;
  constexpr std::string_view mark = "(default ";
  const std::size_t at = line.rfind(mark);
  if (at == std::string_view::npos || line.back() != ')') return;
  line = line.substr(at + mark.size(), line.size() - at - mark.size() - 1);
  if (line.size() >= 2 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
  flag.default_value = line;
}

}  // namespace detail

BERTH_DECL result<std::vector<runsc_flag>> parse_runsc_flags(std::string_view text) {
  if (text.size() > (1u << 20))
    return make_error(errc::too_big, "runsc", "the list of options is longer than 1 MiB", {},
                      "check that the program is gVisor's runsc");
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::vector<runsc_flag> flags;
  bool open = false;  // the lines that come are the usage of flags.back()
  bool first = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (open && detail::is_usage_line(lines[i])) {
      detail::read_flag_usage(lines[i], first, flags.back());
      first = false;
      continue;
    }
    const bool usage_follows = i + 1 < lines.size() && detail::is_usage_line(lines[i + 1]);
    runsc_flag flag;
    if (detail::read_flag_line(lines[i], usage_follows, flag)) {
      flags.push_back(std::move(flag));
      open = first = true;
    } else {
      open = false;
    }
  }
  if (flags.empty())
    return make_error(errc::runsc_output, "runsc", "no option in what runsc printed", {},
                      "check that the program is gVisor's runsc");
  std::stable_sort(flags.begin(), flags.end(),
                   [](const runsc_flag& a, const runsc_flag& b) { return a.name < b.name; });
  flags.erase(std::unique(flags.begin(), flags.end(),
                          [](const runsc_flag& a, const runsc_flag& b) { return a.name == b.name; }),
              flags.end());
  return flags;
}

BERTH_DECL const runsc_flag_history* find_runsc_flag_history(std::string_view verb, std::string_view name) {
  // First releases, from gVisor's history. What is older than 2020 is not listed.
  static constexpr runsc_flag_history known[] = {
      {"", "allow-connected-on-save", 20260520, 0, "", ""},
      {"", "allow-packet-socket-write", 20251208, 0, "TESTONLY-allow-packet-endpoint-write", ""},
      {"", "allow-suid", 20250820, 0, "", ""},
      {"", "cgroupfs", 0, 20231218, "", "mount a file system of type cgroup in the spec"},
      {"", "dcache", 20220704, 0, "", ""},
      {"", "directfs", 20230306, 0, "", ""},
      {"", "fdlimit", 20220704, 0, "", ""},
      {"", "host-settings", 20241021, 0, "", ""},
      {"", "host-uds", 20221026, 0, "fsgofer-host-uds", ""},
      {"", "ignore-cgroups", 20220103, 0, "", ""},
      {"", "mount-cgroup-v2", 20260706, 0, "", "it is usable from 20260810.0 only"},
      {"", "oci-seccomp", 20200921, 0, "", ""},
      {"", "overlay2", 20221205, 0, "overlay", ""},
      {"", "reproduce-nat", 20231120, 0, "", ""},
      {"", "TESTONLY-allow-packet-endpoint-write", 20210906, 20251208, "", "use --allow-packet-socket-write"},
      {"checkpoint", "compression", 20230814, 0, "", ""},
      {"checkpoint", "direct", 20240520, 0, "", ""},
      {"checkpoint", "exclude-committed-zero-pages", 20240513, 0, "", ""},
      {"checkpoint", "save-restore-exec-argv", 20250611, 0, "", ""},
      {"create", "fs-restore-direct", 20260323, 0, "", ""},
      {"create", "fs-restore-image-path", 20260323, 0, "", ""},
      {"exec", "exec-fd", 20230417, 0, "", ""},
      {"exec", "pass-fd", 20230320, 0, "", ""},
      {"fscheckpoint", "", 20260323, 0, "", ""},
      {"kill", "pgid", 20260413, 0, "", "send the signal to each process by --pid"},
      {"list", "sandbox", 20221122, 0, "", ""},
      {"restore", "background", 20240930, 0, "", ""},
      {"restore", "direct", 20240501, 0, "", ""},
      {"restore", "fs-restore-direct", 20260323, 0, "", ""},
      {"restore", "fs-restore-image-path", 20260323, 0, "", ""},
      {"run", "exec-fd", 20230417, 0, "", ""},
      {"run", "fs-restore-direct", 20260323, 0, "", ""},
      {"run", "fs-restore-image-path", 20260323, 0, "", ""},
      {"run", "pass-fd", 20230320, 0, "", ""},
      {"tar", "", 20250721, 0, "", ""},
      {"wait", "checkpoint", 20250106, 0, "", ""},  // a switch; from 20240715 on it took a number
      {"wait", "restore", 20250414, 0, "", ""},
  };
  for (const runsc_flag_history& one : known)
    if (one.verb == verb && one.name == name) return &one;
  return nullptr;
}

}  // namespace berth
