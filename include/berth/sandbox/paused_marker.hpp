// SPDX-License-Identifier: Apache-2.0
// The file `paused` in a sandbox's directory: there while the sandbox is paused, or may be. It is made before and removed after, so
// that nobody waits for a sandbox that answers nothing. What it holds is whether the sandbox is asleep, which its next use ends.
// Written by who holds the directory's lock.
#pragma once

#include <berth/base/file.hpp>
#include <berth/sandbox/record.hpp>

#include <unistd.h>

#include <string>
#include <string_view>

namespace berth {

class paused_marker {
 public:
  explicit paused_marker(const sandbox_record& record) : path_(record.directory + "/paused") {}
  bool is_there() const { return ::access(path_.c_str(), F_OK) == 0; }
  bool says_asleep() const {
    const auto text = read_file(path_, 64, "sandbox");
    return text && *text == asleep;
  }
  result<void> write(bool is_asleep) const { return replace_file(path_, is_asleep ? asleep : "", 0600, "sandbox"); }
  void remove() const { ::unlink(path_.c_str()); }

 private:
  static constexpr std::string_view asleep = "asleep\n";
  std::string path_;
};

}  // namespace berth
