// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace berth::cli {

progress::progress(const output_options& options)
    : options_(options),
      plain_(stderr_sink(options)),
      terminal_(::isatty(STDERR_FILENO) == 1 && options.format == log_format::text && !options.json) {}

void progress::start(std::string what) {
  what_ = std::move(what);
  since_ = clock::now();
  next_line_ = since_ + seconds(5);
  tick();
}

void progress::tick() {
  if (what_.empty() || options_.level > log_level::info) return;
  const time_point now = clock::now();
  char elapsed[32];
  std::snprintf(elapsed, sizeof elapsed, "%.1fs", std::chrono::duration<double>(now - since_).count());
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%s… %s", what_.c_str(), elapsed);
    shown_ = true;
  } else if (now >= next_line_) {
    next_line_ += seconds(5);
    log(plain_, log_level::info, "still " + what_, {{"elapsed", elapsed}});
  }
}

void progress::stop() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
  what_.clear();
}

log_sink progress::sink() {
  return [this](const log_event& event) {
    if (event.level < options_.level) return;
    if (shown_) std::fputs("\r\x1b[K", stderr);
    shown_ = false;
    plain_(event);
    if (terminal_) tick();
  };
}

}  // namespace berth::cli
