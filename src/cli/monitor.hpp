// A sandbox in the background: `berth run -d` starts a monitor, a process of its own that keeps it.
//
// The monitor is this program again, as the leader of a new session, with the words of the call handed over in a memfd
// (descriptor 4) and a socket pair to its launcher (descriptor 3). It tells the launcher each log line, "created", and
// "ready" or "failed" as they happen. Until the launcher has answered, which it does once it has printed the id, nobody
// knows of the sandbox; so when the launcher goes away before (killed, interrupted, or with nobody to print to), the
// monitor takes everything down again. From then on the sandbox is in `berth ls`, and the monitor ends it on SIGTERM, which is what
// `berth rm` sends.
#pragma once

#include "run_options.hpp"

#include <optional>
#include <string>
#include <vector>

namespace berth::cli {

inline constexpr int monitor_channel_fd = 3;
inline constexpr int monitor_words_fd = 4;

/// The launcher's part: exit_ok once the sandbox is created (or ready, with --wait), its id printed.
int run_detached(const run_plan& plan, const invocation& call);

/// The words that a launcher handed over; nothing when this process was not started by one.
std::optional<std::vector<std::string>> take_monitor_words();

/// The monitor's part: keeps the sandbox until it ends.
int run_monitor(run_plan plan, int channel);

}  // namespace berth::cli
