// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include "exit_code.hpp"

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>
#include <berth/base/visible_text.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace berth::cli {
namespace {

std::string_view level_name(log_level level) {
  constexpr std::string_view names[] = {"debug", "info", "warn", "error"};
  return names[static_cast<int>(level)];
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string printable(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  append_shown(out, text, lines ? "\n\t" : "");
  return out;
}

std::string format_log(const log_event& event, log_format format) {
  if (format == log_format::text) return format_console(event);
  json_writer line;
  line.open_object().key("time").string(format_utc(now_ms())).key("level").string(level_name(event.level));
  line.key("message").string(event.message);
  for (const log_field& field : event.fields) line.key(field.key).string(field.value);
  return line.close_object().take();
}

log_sink stderr_sink(const output_options& options) {
  return [options](const log_event& event) {
    if (event.level < options.level) return;
    // One write a line, so that lines of two processes on one terminal do not mix.
    const std::string line = format_log(event, options.format);
    write_all(STDERR_FILENO, (options.format == log_format::text ? in_own_words(line) : line) + '\n');
  };
}

std::string in_own_words(std::string text) {
  struct row {
    std::string_view says, here;
  };
  static constexpr row rows[] = {
#include "options/hint_table.ipp"
  };
  static constexpr std::string_view name_bytes =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-";  // of ids and of snapshots
  for (const row& r : rows) {
    const std::size_t hole = r.says.find("{}");
    const std::string_view before = r.says.substr(0, hole);
    std::size_t at = 0;
    while ((at = text.find(before, at)) != std::string::npos) {
      std::size_t end = at + before.size();
      std::string here(r.here);
      if (hole != std::string_view::npos) {
        const std::size_t stop = std::min(text.find_first_not_of(name_bytes, end), text.size());
        const std::string name = text.substr(end, stop - end);
        if (name.empty()) {
          at = end;
          continue;
        }
        end = stop;
        if (const std::size_t place = here.find("{}"); place != std::string::npos) here.replace(place, 2, name);
      }
      text.replace(at, end - at, here);
      at += here.size();
    }
  }
  return text;
}

std::string error_json(const error& e) {
  json_writer out;
  out.open_object().key("error").open_object().key("code").string(errc_name(e.code));
  out.key("layer").string(e.layer).key("message").string(e.message);
  if (!e.path.empty()) out.key("path").string(e.path);
  if (e.sys_errno != 0) out.key("errno").number(e.sys_errno).key("reason").string(std::strerror(e.sys_errno));
  if (!e.hint.empty()) out.key("hint").string(e.hint);
  if (!e.detail.empty()) out.key("detail").string(e.detail);
  return out.close_object().close_object().take();
}

void print_error(const error& e, const output_options& options) {
  std::string text;
  if (options.json) {
    text = error_json(e);
  } else {
    text = "berth: " + e.message;
    if (!e.path.empty()) text += " (" + e.path + ")";
    if (e.sys_errno != 0) text += std::string(": ") + std::strerror(e.sys_errno);
    if (!e.hint.empty()) text += "\n  " + in_own_words(e.hint);
    if (!e.detail.empty()) {
      const std::string worded = in_own_words(e.detail);
      std::string_view detail = worded;
      while (!detail.empty()) {
        const std::size_t end = std::min(detail.find('\n'), detail.size());
        text += "\n  | ";
        text += detail.substr(0, end);
        detail.remove_prefix(std::min(end + 1, detail.size()));
      }
    }
    text = printable(text);
  }
  write_all(STDERR_FILENO, text + '\n');
}

int print_usage_error(std::string_view message, std::string_view verb, const output_options& options) {
  const std::string help = "see berth " + std::string(verb) + (verb.empty() ? "" : " ") + "--help";
  print_error(make_error(errc::invalid, "cli", std::string(message), {}, help), options);
  return exit_usage;
}

bool print_json(json_writer&& written) { return print_text(written.take() + '\n'); }

bool print_member(std::string_view key, std::string_view text) {
  json_writer out(2);
  out.open_object().key(key).string(text).close_object();
  return print_json(std::move(out));
}

bool print_member(std::string_view key, const std::vector<std::string>& list) {
  json_writer out(2);
  write_strings(out.open_object().key(key), list);
  out.close_object();
  return print_json(std::move(out));
}

void write_strings(json_writer& out, const std::vector<std::string>& list) {
  out.open_array();
  for (const std::string& text : list) out.string(text);
  out.close_array();
}

bool print_text(std::string_view text) {
  const int failed = write_all(STDOUT_FILENO, text);
  if (failed == 0) return true;
  if (failed != EPIPE) print_error(errno_error(failed, "cli", "cannot write to standard output"), output_options{});
  return false;
}

std::string format_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : head) widths.push_back(cell.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  };
  add(head);
  for (const auto& row : rows) add(row);
  return out;
}

std::string format_seconds(double seconds) {
  char text[32];
  if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.0fms", seconds * 1000);
  } else {
    std::snprintf(text, sizeof text, "%.2fs", seconds);
  }
  return text;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.1f%s", value, units[unit]);
  return text;
}

}  // namespace berth::cli
