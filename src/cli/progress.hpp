// SPDX-License-Identifier: Apache-2.0
// A line with the elapsed time while the command waits.
#pragma once

#include "output.hpp"

#include <berth/base/clock.hpp>

#include <string>

namespace berth::cli {

/// On a terminal one line that is rewritten ten times a second; elsewhere a log line every 5 s. With -q or --json
/// nothing. Log lines have to go through `sink`, so that they do not land in the middle of it.
class progress {
 public:
  explicit progress(const output_options& options);
  ~progress() { stop(); }

  void start(std::string what);  ///< "waiting for the docker daemon"
  void tick();                   ///< to be called about every `interval`
  void stop();                   ///< takes the line away

  log_sink sink();
  static constexpr milliseconds interval{100};

 private:
  output_options options_;
  log_sink plain_;
  bool terminal_ = false;
  bool shown_ = false;
  std::string what_;
  time_point since_{};
  time_point next_line_{};
};

}  // namespace berth::cli
