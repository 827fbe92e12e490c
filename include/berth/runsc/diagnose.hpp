// SPDX-License-Identifier: Apache-2.0
// The true cause of a runsc failure, out of its debug logs.
#pragma once

#include <berth/base/error.hpp>
#include <berth/base/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// One log file of the --debug-log directory, or the last part of it.
struct runsc_log_file {
  std::string name;  ///< the file's name, for instance "runsc.log.20260701-120000.000000.boot.txt"
  std::string text;
};

/// What the logs say.
struct runsc_diagnosis {
  std::string cause;               ///< one line, without log prefix; empty when there are warnings at most
  std::string file;                ///< the log file that it is from
  std::string hint;                ///< what to do, where the cause is a known one
  std::vector<std::string> lines;  ///< the best lines, most telling first, at most 8
};

/// Finds the most telling lines: panics before FATAL errors, those before calls that failed, those before warnings; of
/// equals the earlier, since what comes later is often its consequence ("waiting for sandbox to start: EOF" is nothing
/// but that, and comes last); what a healthy start says too is left out. `printed` is what runsc itself wrote on
/// stderr. Pure; control characters are made visible, since the text can come from the sandbox.
BERTH_DECL runsc_diagnosis diagnose_runsc(const std::vector<runsc_log_file>& logs, std::string_view printed = {});

/// What was printed before the stacks of a Go program that panicked ("goroutine 42 [running]:"), without the line ends and colons
/// that lead to them; all of it where there are none. Pure.
BERTH_DECL std::string_view before_go_stacks(std::string_view printed) noexcept;

/// Reads the log files of a directory: regular files only, no symlink followed, the last `limit` bytes in all (the
/// newest files first). Errors: not_found, permission, io.
BERTH_DECL result<std::vector<runsc_log_file>> read_runsc_logs(const std::string& directory,
                                                               std::size_t limit = 4u << 20);

/// runsc_failed with the true cause: `what` ("create sandbox x"), the cause, the hint, and the lines as detail. Reads
/// the logs itself; when they cannot be read, what runsc printed has to do.
BERTH_DECL error runsc_failure(std::string what, const std::string& debug_log_directory, std::string_view printed);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/diagnose.ipp>
#include <berth/impl/runsc/log_files.ipp>
#endif
