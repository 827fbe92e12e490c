// SPDX-License-Identifier: Apache-2.0
// What the start of dockerd tells the supervisor: lines on the standard output that dockerd will have, told from its own by the
// nonce of the run (start_marker).
#pragma once

#include <berth/base/file.hpp>

#include <string>
#include <string_view>

namespace berth::guest {

class start_markers {
 public:
  explicit start_markers(std::string nonce) : nonce_(std::move(nonce)) {}

  void say(std::string_view word, std::string_view text = {}) const {
    std::string line = "berth:" + nonce_ + ":" + std::string(word);
    if (!text.empty()) line += " " + std::string(text.substr(0, text.find('\n')));
    line += '\n';
    (void)write_all(1, line);
  }
  void warn(std::string_view text) const { say("warning", text); }

 private:
  std::string nonce_;
};

}  // namespace berth::guest
