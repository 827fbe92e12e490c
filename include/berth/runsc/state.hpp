// SPDX-License-Identifier: Apache-2.0
// What runsc prints as JSON: state, list, ps, events.
#pragma once

#include <berth/base/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

enum class runsc_status { unknown, creating, created, running, paused, stopped };
BERTH_DECL std::string_view runsc_status_name(runsc_status status) noexcept;

/// `runsc state`.
struct runsc_state {
  std::string oci_version;
  std::string id;
  runsc_status status = runsc_status::unknown;
  std::string status_text;  ///< as printed
  std::int64_t pid = 0;     ///< the sandbox process on the host; 0 when there is none
  std::string bundle;
  std::vector<std::pair<std::string, std::string>> annotations;  ///< in the order printed
};

/// `runsc events --stats`: the numbers that berth uses, absent where runsc printed none.
struct runsc_stats {
  std::string id;
  std::string type;  ///< "stats"
  std::optional<std::uint64_t> cpu_total_ns;
  std::optional<std::uint64_t> memory_usage_bytes;
  std::optional<std::uint64_t> memory_limit_bytes;
  std::optional<std::uint64_t> pids_current;
};

/// `runsc wait`: how the container, or the process that was named, ended.
struct runsc_wait_result {
  std::string id;
  std::int32_t exit_status = 0;  ///< the exit code, or 128 + signal
};

/// All of these: pure; unknown members are passed over (later releases add some); sizes, depth, UTF-8 and numbers are
/// checked as in the spec layer before the text is read. Errors: runsc_output, saying what was wrong.
/// `runsc state ID`.
BERTH_DECL result<runsc_state> parse_runsc_state(std::string_view json);
/// `runsc list --format=json`: the state of each container (runsc prints `null` when there is none).
BERTH_DECL result<std::vector<runsc_state>> parse_runsc_list(std::string_view json);
/// `runsc ps --format=json`: the pids, in the container's own pid namespace. runsc's JSON holds nothing else.
BERTH_DECL result<std::vector<std::int32_t>> parse_runsc_ps(std::string_view json);
/// `runsc events --stats ID`, or one line of `runsc events`.
BERTH_DECL result<runsc_stats> parse_runsc_stats(std::string_view json);
/// `runsc wait ID`. With --checkpoint or --restore it prints nothing.
BERTH_DECL result<runsc_wait_result> parse_runsc_wait(std::string_view json);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/state.ipp>
#endif
