// SPDX-License-Identifier: Apache-2.0
// What the command prints: data to stdout, errors and the log to stderr.
#pragma once

#include <berth/base/error.hpp>
#include <berth/base/json_writer.hpp>
#include <berth/base/log.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

enum class log_format { text, json };

/// How this call prints; set from the common options before a verb acts.
struct output_options {
  bool json = false;                  ///< --json: data and errors as JSON
  log_level level = log_level::info;  ///< -v: debug, -q: error
  log_format format = log_format::text;
};

/// `text` with control characters shown as \xNN, so that what a sandbox prints cannot drive the reader's terminal.
/// Newlines and tabs stay where `lines` is true.
std::string printable(std::string_view text, bool lines = true);

/// One event as `--log-format` has it, without newline.
std::string format_log(const log_event& event, log_format format);

/// The library's words for what is to be done in those of this command, its verbs and flags: for people. What is printed as JSON
/// keeps the library's, for the users of whichever program reads it.
std::string in_own_words(std::string text);

/// A sink that writes events of the wanted levels to stderr.
log_sink stderr_sink(const output_options& options);

/// {"error":{…}}
std::string error_json(const error& e);

/// `berth: what (where): why`, the hint on a line of its own, then the detail; or the error as a JSON object. To
/// stderr.
void print_error(const error& e, const output_options& options);

/// A bad call: the message and where to read more, to stderr. Gives exit_usage.
int print_usage_error(std::string_view message, std::string_view verb, const output_options& options);

/// To stdout. False when stdout is closed or full, which ends the verb with exit_failed.
bool print_json(json_writer&& written);  ///< and a newline
bool print_text(std::string_view text);  ///< as it is
/// The same of an object with one member.
bool print_member(std::string_view key, std::string_view text);
bool print_member(std::string_view key, const std::vector<std::string>& list);

/// A list of strings, where a value may stand.
void write_strings(json_writer& out, const std::vector<std::string>& list);

/// Columns padded to their widest cell, two blanks between them, as docker prints its lists.
std::string format_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

/// "1.24s", "310ms".
std::string format_seconds(double seconds);

/// "2.0GiB" as docker prints sizes.
std::string format_bytes(std::uint64_t bytes);

}  // namespace berth::cli
