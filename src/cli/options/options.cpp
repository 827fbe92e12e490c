// SPDX-License-Identifier: Apache-2.0
#include "options/options.hpp"

#include "loop.hpp"

#include <berth/sandbox/root_directory.hpp>
#include <berth/spec/byte_size.hpp>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace berth::cli {
namespace {

void unmark(std::string& word) {
  if (word.ends_with('\0')) word.pop_back();
}

}  // namespace

output_options common_options::output() const {
  output_options out;
  out.json = json;
  out.level = quiet ? log_level::error : verbose ? log_level::debug : log_level::info;
  out.format = log_format == "json" ? cli::log_format::json : cli::log_format::text;
  return out;
}

result<environment> common_options::find_environment() const {
  environment out = environment::from(own_environment());
  if (!root.empty()) out.root = absolute_path(root);
  auto resolved = resolve_root(out.root);
  if (!resolved) return usage_error(resolved.error(), root.empty() ? "BERTH_ROOT" : "--root");
  out.root = std::move(*resolved);
  if (!runsc.empty()) out.runsc = runsc.find('/') == std::string::npos ? runsc : absolute_path(runsc);
  // A name is looked up on our PATH, for every verb alike; the library has a path of its own, which need not hold it.
  if (out.runsc.find('/') == std::string::npos) {
    std::string found = find_program(out.runsc.empty() ? "runsc" : out.runsc);
    if (!found.empty()) out.runsc = std::move(found);
  }
  // Whichever way they came: they are kept in records, and used from other directories.
  for (std::string* path : {&out.runsc, &out.init})
    if (path->find('/') != std::string::npos && path->front() != '/') *path = absolute_path(*path);
  out.log = stderr_sink(output());
  return out;
}

void add_common(CLI::App& app, common_options& common) {
  const char* group = "Common options";
  app.add_flag("--json", common.json, "print data and errors as JSON")->group(group);
  auto* verbose = app.add_flag("-v,--verbose", common.verbose, "log debug lines too")->group(group);
  app.add_flag("-q,--quiet", common.quiet, "log errors only")->group(group)->excludes(verbose);
  app.add_option("--log-format", common.log_format, "how log lines look on stderr")
      ->check(CLI::IsMember({"text", "json"}))
      ->group(group);
  app.add_option("--root", common.root, "where sandboxes are kept (default: $BERTH_ROOT, else /var/lib/berth)")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--runsc", common.runsc, "the runsc to use (default: $BERTH_RUNSC, else the first on PATH)")
      ->type_name("PATH")
      ->group(group);
}

result<std::vector<std::string>> invocation::command_line() const {
  std::vector<std::string> words = verb->remaining();
  for (std::string& word : words) unmark(word);
  // A word that is no option of the verb's and stands before the command: CLI11 collects both kinds in `remaining`.
  if (!words.empty() && words.front().size() > 1 && words.front().front() == '-')
    return usage_error("no such option, or its place is behind --", words.front());
  if (command) {
    if (!words.empty()) words.push_back("--");  // `exec ID sh -c '…' -- x`: the command began before it
    words.insert(words.end(), command->begin(), command->end());
  }
  return words;
}

std::string full_name(const CLI::App* verb) {
  std::string name;
  for (; verb != nullptr && verb->get_parent() != nullptr; verb = verb->get_parent())
    name = name.empty() ? verb->get_name() : verb->get_name() + " " + name;
  return name;
}

void takes_command(CLI::App& app) { app.prefix_command(); }

void refuse_empty_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_expected_max() == 0) continue;  // a flag
    const auto judge = [](std::string& value) {
      unmark(value);
      return std::string(value.empty() ? "the value is empty" : "");
    };
    option->transform(CLI::Validator(judge, ""));
  }
}

std::vector<std::string> mark_empty_values(std::vector<std::string> words) {
  for (std::string& word : words)
    if (word.starts_with("--") && word.find('=') == word.size() - 1) word += '\0';
  return words;
}

CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& into,
                      const std::string& description) {
  return app.add_option(name, into, description)->allow_extra_args(false);
}

std::span<const flag_row> flag_rows() noexcept {
  static constexpr flag_row rows[] = {
#include "options/option_table.ipp"
  };
  return rows;
}

const flag_row& find_flag(std::string_view key) {
  for (const flag_row& row : flag_rows())
    if (row.key == key) return row;
  throw std::logic_error("options/*.toml has no flag " + std::string(key));
}

CLI::Option* dress(CLI::Option* option, const flag_row& row) {
  if (!row.value.empty()) option->type_name(std::string(row.value));
  if (!row.group.empty()) option->group(std::string(row.group));
  return option;
}

CLI::Option* add_from_table(CLI::App& app, std::string_view key, bool& into) {
  const flag_row& row = find_flag(key);
  return dress(app.add_flag(std::string(row.names), into, std::string(row.help)), row);
}

CLI::Option* add_from_table(CLI::App& app, std::string_view key, std::vector<std::string>& into) {
  const flag_row& row = find_flag(key);
  return dress(add_list(app, std::string(row.names), into, std::string(row.help)), row);
}

CLI::IsMember one_of(std::string_view key) {
  std::vector<std::string> words;
  std::string_view left = find_flag(key).words;
  while (!left.empty()) {
    words.emplace_back(left.substr(0, left.find('|')));
    left.remove_prefix(std::min(left.size(), words.back().size() + 1));
  }
  return CLI::IsMember(words);
}

void add_examples(CLI::App& app, std::initializer_list<const char*> lines) {
  std::string text = "Examples:";
  for (const char* line : lines) text += std::string("\n  ") + line;
  app.footer(text);
}

error usage_error(std::string message, std::string option) {
  return make_error(errc::invalid, "cli", std::move(message), std::move(option));
}

error usage_error(const error& found, std::string option) {
  return usage_error(found.hint.empty() ? found.message : found.message + "; " + in_own_words(found.hint),
                     std::move(option));
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text.substr(0, 64)) + (text.size() > 64 ? "…'" : "'");
}

int fail(const error& e, const invocation& call) {
  if (e.layer == "cli" && e.code == errc::invalid) {
    const std::string message = e.path.empty() ? e.message : e.path + ": " + e.message;
    return print_usage_error(message, full_name(call.verb), call.common.output());
  }
  print_error(e, call.common.output());
  return exit_code_of(e);
}

std::optional<int> need_root(const invocation& call) {
  if (::geteuid() == 0) return std::nullopt;
  return fail(make_error(errc::permission, "cli", "berth " + full_name(call.verb) + " needs root", {},
                         "namespaces, mounts and runsc's sandboxes are root's: run it by sudo"),
              call);
}

result<std::uint64_t> parse_bytes(std::string_view text, std::string_view option) {
  const auto size = parse_byte_size(text);
  if (!size) return usage_error(size.error(), std::string(option));
  return *size;
}

result<double> parse_cpus(std::string_view text, std::string_view option) {
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const bool whole = ec == std::errc() && end == text.data() + text.size() && !text.starts_with('-');
  if (whole && (number == 0 || (number >= 0.01 && number <= 4096))) return number;
  return usage_error(
      in_quotes(text) + " is no number of CPUs: write it as 2 or 0.5, from 0.01 to 4096, or 0 for no limit",
      std::string(option));
}

result<duration> parse_duration(std::string_view text, std::string_view option) {
  const error bad = usage_error(in_quotes(text) +
                                    " is no time: write it as seconds, 30 or 0.5, or with a unit, 200ms, "
                                    "30s, 2m",
                                std::string(option));
  double number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (ec != std::errc() || !(number > 0)) return bad;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "ms") number /= 1000;
  else if (unit == "m") number *= 60;
  else if (unit == "h") number *= 3600;
  else if (!unit.empty() && unit != "s") return bad;
  // 31 years: nobody means that, and it keeps the sums below from overflowing. Less than 1 ms would be rounded to no time.
  if (number > 1e9 || number < 1e-3) return bad;
  return std::chrono::duration_cast<duration>(std::chrono::duration<double>(number));
}

std::string absolute_path(const std::string& path) {
  std::error_code ec;
  std::filesystem::path out = std::filesystem::absolute(path, ec);
  if (ec) return path;
  out = out.lexically_normal();
  if (!out.has_filename() && out.has_relative_path()) out = out.parent_path();  // "/a/b/" → "/a/b"
  return out.string();
}

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) out.emplace_back(*entry);
  return out;
}

std::string own_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace berth::cli
