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

/// `runsc list --format=json`: one entry.
struct runsc_list_entry {
  runsc_state state;
  std::string created;  ///< RFC 3339, as printed
  std::string owner;    ///< the uid that made it
};

/// `runsc ps --format=json`: one process, pids being the container's own.
struct runsc_process {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;
  std::int32_t ppid = 0;
  std::string command;
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

/// All of these: pure; unknown members are passed over (later releases add some); sizes, depth, UTF-8 and numbers are
/// checked as in the spec layer before the text is read. Errors: runsc_output, saying what was wrong.
BERTH_DECL result<runsc_state> parse_runsc_state(std::string_view json);
BERTH_DECL result<std::vector<runsc_list_entry>> parse_runsc_list(std::string_view json);
BERTH_DECL result<std::vector<runsc_process>> parse_runsc_ps(std::string_view json);
BERTH_DECL result<runsc_stats> parse_runsc_stats(std::string_view json);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/state.ipp>
#endif
