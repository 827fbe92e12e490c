// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/visible_text.hpp>
#include <berth/impl/runsc/symptoms.ipp>
#include <berth/runsc/diagnose.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {
namespace detail {

/// One line worth showing.
struct telling_line {
  int weight = 0;
  std::string when;  ///< "MMDD hh:mm:ss.uuuuuu", which sorts by time; empty where the line has none
  std::string text;
  std::string file;
};

/// Text that can come from the sandbox must not drive the terminal of whoever reads the error.
inline std::string visible_line(std::string_view line) {
  constexpr std::size_t longest = 600;
  std::string plain(line.substr(0, longest));
  std::replace(plain.begin(), plain.end(), '\t', ' ');
  std::string out;
  append_shown(out, plain);
  if (line.size() > longest) out += " …";
  return out;
}

/// A line as runsc's text log has it: "W1124 06:25:15.470371       1 util.go:107] FATAL ERROR: …". False for others.
inline bool split_log_line(std::string_view line, char& level, std::string_view& when, std::string_view& message) {
  constexpr std::size_t stamp = 20;  // "1124 06:25:15.470371"
  if (line.size() < stamp + 1 || (line[0] != 'W' && line[0] != 'I' && line[0] != 'D' && line[0] != 'E')) return false;
  if (line[5] != ' ' || line[8] != ':' || line[11] != ':' || line[14] != '.') return false;
  const std::size_t bracket = line.find("] ", stamp);
  if (bracket == std::string_view::npos) return false;
  level = line[0];
  when = line.substr(1, stamp);
  message = line.substr(bracket + 2);
  return true;
}

/// How telling a message is; 0 for not at all. `process` is true for a sandbox or gofer process's log.
inline int weigh_message(std::string_view message, char level) {
  if (message.empty() || is_log_noise(message)) return 0;
  const bool fatal = message.find("FATAL ERROR: ") != std::string_view::npos;
  if (fatal) return is_consequence(message) ? 20 : 80;
  if (level != 'W' && level != 'E') return 0;
  if (is_consequence(message)) return 10;
  return message.find(" failed: ") != std::string_view::npos ? 50 : 40;
}

inline std::string_view strip_fatal(std::string_view message) {
  constexpr std::string_view mark = "FATAL ERROR: ";
  const std::size_t at = message.find(mark);
  return at == std::string_view::npos ? message : message.substr(at + mark.size());
}

inline void weigh_log(const runsc_log_file& log, std::vector<telling_line>& out) {
  const std::string_view text = log.text;
  std::string when;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    char level = 0;
    std::string_view stamp, message;
    if (split_log_line(line, level, stamp, message)) {
      when = stamp;
      const int weight = weigh_message(message, level);
      if (weight != 0) out.push_back({weight, when, visible_line(strip_fatal(message)), log.name});
    } else if (line.substr(0, 7) == "panic: " || line.substr(0, 13) == "fatal error: ") {
      // Go's own words, on the log's descriptor; they carry the time of the line before them.
      out.push_back({100, when, visible_line(line), log.name});
    }
  }
}

/// Causes come before what they bring about, so of equals the earlier is the better; among mere warnings the later is,
/// being nearer to the end.
inline bool more_telling(const telling_line& a, const telling_line& b) {
  if (a.weight != b.weight) return a.weight > b.weight;
  return a.weight >= 50 ? a.when < b.when : a.when > b.when;
}

}  // namespace detail

BERTH_DECL runsc_diagnosis diagnose_runsc(const std::vector<runsc_log_file>& logs, std::string_view printed) {
  std::vector<detail::telling_line> lines;
  for (const runsc_log_file& log : logs) detail::weigh_log(log, lines);
  for (std::size_t at = 0; at < printed.size();) {
    const std::size_t end = std::min(printed.find('\n', at), printed.size());
    const std::string_view line = printed.substr(at, end - at);
    at = end + 1;
    if (line.empty() || detail::is_log_noise(line)) continue;
    // What runsc prints, its log has as well, with the time.
    lines.push_back({detail::is_consequence(line) ? 15 : 70, {}, detail::visible_line(line), "stderr"});
    if (lines.size() > 10000) break;
  }
  std::stable_sort(lines.begin(), lines.end(), detail::more_telling);
  runsc_diagnosis found;
  for (const detail::telling_line& line : lines) {
    if (std::find(found.lines.begin(), found.lines.end(), line.text) != found.lines.end()) continue;
    found.lines.push_back(line.text);
    if (found.lines.size() == 8) break;
  }
  if (lines.empty()) return found;
  // Mere warnings accompany each start: they are shown, but are not called the cause.
  if (lines.front().weight >= 50 || lines.front().weight == 20 || lines.front().weight == 15) {
    found.cause = lines.front().text;
    found.file = lines.front().file;
  }
  for (const std::string& line : found.lines) {
    found.hint = detail::find_symptom(line);
    if (!found.hint.empty()) break;
  }
  return found;
}

BERTH_DECL std::string_view before_go_stacks(std::string_view printed) noexcept {
  constexpr std::string_view word = "goroutine ";
  for (std::size_t at = printed.find(word); at != std::string_view::npos; at = printed.find(word, at + 1)) {
    if (at != 0 && printed[at - 1] != '\n') continue;
    const std::string_view line = printed.substr(at, printed.find('\n', at) - at);
    if (line.find(" [") == std::string_view::npos || !line.ends_with("]:")) continue;
    const std::size_t end = printed.substr(0, at).find_last_not_of(": \n");
    return printed.substr(0, end == std::string_view::npos ? 0 : end + 1);
  }
  return printed;
}

BERTH_DECL error runsc_failure(std::string what, const std::string& debug_log_directory, std::string_view printed) {
  std::vector<runsc_log_file> logs;
  if (!debug_log_directory.empty()) {
    if (auto read = read_runsc_logs(debug_log_directory)) logs = *std::move(read);
  }
  runsc_diagnosis found = diagnose_runsc(logs, printed);
  error e = make_error(errc::runsc_failed, "runsc", std::move(what), debug_log_directory, std::move(found.hint));
  if (!found.cause.empty()) e.message += ": " + found.cause;
  for (const std::string& line : found.lines) {
    if (!e.detail.empty()) e.detail += '\n';
    e.detail += line;
  }
  return e;
}

}  // namespace berth
