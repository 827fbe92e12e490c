// SPDX-License-Identifier: Apache-2.0
// The options that a runsc has, read from what it prints, and where options came in.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// One option as `runsc flags` or `runsc help VERB` lists it.
struct runsc_flag {
  std::string name;           ///< without dashes
  std::string value;          ///< the kind of value ("string", "value", "int"…), or empty for a switch
  std::string default_value;  ///< from "(default …)" at the end of the usage text, quotes taken away, or empty
  bool no_effect = false;     ///< "DEPRECATED: this flag has no effect": accepted and ignored
  friend bool operator==(const runsc_flag&, const runsc_flag&) = default;
};

/// Reads what Go's flag package prints for a set of options, sorted by name. Lines that are no option are passed over,
/// so that the same reader serves `runsc flags` and `runsc help VERB`. Pure.
/// Errors: runsc_output when there is no option at all, too_big beyond 1 MiB.
BERTH_DECL result<std::vector<runsc_flag>> parse_runsc_flags(std::string_view text);

/// What is known of an option's history.
struct runsc_flag_history {
  std::string_view verb;  ///< empty for a global option
  std::string_view name;
  std::uint32_t since = 0;   ///< the first release that has it, yyyymmdd
  std::uint32_t until = 0;   ///< the first release that lacks it or ignores it, 0 while it lives
  std::string_view before;   ///< what it was called before, or empty
  std::string_view instead;  ///< what to do on a release that lacks it, or empty
};

/// The known history of an option, or nullptr.
BERTH_DECL const runsc_flag_history* find_runsc_flag_history(std::string_view verb, std::string_view name);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/flags.ipp>
#endif
