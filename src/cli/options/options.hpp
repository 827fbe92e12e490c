// SPDX-License-Identifier: Apache-2.0
// What all verbs share: how a call is put together, the common options, and the kinds of values that options take.
#pragma once

#include "exit_code.hpp"
#include "output.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/sandbox/config.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// The options that every verb takes.
struct common_options {
  bool json = false;
  bool verbose = false;
  bool quiet = false;
  std::string log_format = "text";
  std::string root;   ///< --root; empty: $BERTH_ROOT, else /var/lib/berth
  std::string runsc;  ///< --runsc; empty: $BERTH_RUNSC, else the first on PATH

  output_options output() const;
  /// From BERTH_ROOT, BERTH_RUNSC, BERTH_INIT and the options, logging to stderr. The root is checked and without symlinks,
  /// so that every verb means the same by it. Errors: usage errors.
  result<environment> find_environment() const;
};

/// One call of the command. A verb's `add` declares its options and sets `act`, which runs once they are parsed.
struct invocation {
  common_options common;
  std::optional<std::vector<std::string>> command;  ///< what stood behind "--"
  CLI::App* verb = nullptr;                         ///< the parsed sub-command
  std::function<int()> act;

  /// The words behind the verb's own options: behind "--", or from the first word that is not the verb's (`berth exec ID
  /// ls -l`). A word before them that looks like an option is a usage error. For verbs made with takes_command().
  result<std::vector<std::string>> command_line() const;
};

/// A verb's entry in the table of command.cpp.
struct verb {
  const char* name;
  const char* summary;
  void (*add)(CLI::App& app, invocation& call);
  const char* group;
};

/// Declares the common options.
void add_common(CLI::App& app, common_options& common);

/// "run", "spec docker"; empty for the command itself.
std::string full_name(const CLI::App* verb);

/// Declares that the verb ends in a command of somebody else's, whose options are not the verb's.
void takes_command(CLI::App& app);

/// Has an empty value of any of the verb's options refused: `--id "$ID"` and `--id="$ID"` with the variable unset mean
/// something else than no --id at all.
void refuse_empty_values(CLI::App& app);

/// The words as CLI11 is to see them. It takes `--id=` for `--id` and the next word for its value; with a NUL, which no word
/// of a command line has, the value is there, and refuse_empty_values knows it.
std::vector<std::string> mark_empty_values(std::vector<std::string> words);

/// An option that may be repeated and takes one value each time.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& into,
                      const std::string& description);

/// One option of the command in options/*.toml.
struct flag_row {
  std::string_view key;  ///< "sandbox.cpus"
  std::string_view names, value, help, group;
  std::string_view words;  ///< those that it takes, "a|b|c"
  bool restored;           ///< may be said of a sandbox that is restored from a snapshot
};
std::span<const flag_row> flag_rows() noexcept;
/// Throws std::logic_error where the table has no such key: a defect, which every call of the verb shows.
const flag_row& find_flag(std::string_view key);

/// Declares an option by its key in the table, which has its names, its help and its group: a switch, a value, or a list (one
/// value each time).
CLI::Option* add_from_table(CLI::App& app, std::string_view key, bool& into);
CLI::Option* add_from_table(CLI::App& app, std::string_view key, std::vector<std::string>& into);
template <class T>
CLI::Option* add_from_table(CLI::App& app, std::string_view key, T& into);
/// What dresses an option that was declared by hand in the words of the table.
CLI::Option* dress(CLI::Option* option, const flag_row& row);
/// That the value is one of the table's words.
CLI::IsMember one_of(std::string_view key);

template <class T>
CLI::Option* add_from_table(CLI::App& app, std::string_view key, T& into) {
  const flag_row& row = find_flag(key);
  return dress(app.add_option(std::string(row.names), into, std::string(row.help)), row);
}

/// "Examples:" at the end of the help.
void add_examples(CLI::App& app, std::initializer_list<const char*> lines);

/// A failure to show as bad usage (exit code 2), with the layer "cli".
error usage_error(std::string message, std::string option = {});

/// The same of what the library found, with what it says is to be done.
error usage_error(const error& found, std::string option);

/// A value in single quotes, the first 64 bytes of it.
std::string in_quotes(std::string_view text);

/// Prints `e` and gives its exit code: exit_usage for what usage_error made.
int fail(const error& e, const invocation& call);

/// nothing, or exit_failed after saying that this verb needs root.
std::optional<int> need_root(const invocation& call);

/// "2Gi", "512Mi", "2g", "1073741824": as parse_byte_size.
result<std::uint64_t> parse_bytes(std::string_view text, std::string_view option);

/// A number of CPUs, 0 for no limit.
result<double> parse_cpus(std::string_view text, std::string_view option);

/// "1.5" seconds, or with a unit: "200ms", "30s", "2m", "1h". At least a millisecond.
result<duration> parse_duration(std::string_view text, std::string_view option);

/// The path made absolute against the present directory and cleaned lexically.
std::string absolute_path(const std::string& path);

/// Our environment as "K=V".
std::vector<std::string> own_environment();

/// The value of a variable of our environment, or empty.
std::string own_variable(const char* name);

}  // namespace berth::cli
