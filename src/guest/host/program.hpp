// SPDX-License-Identifier: Apache-2.0
// Programs that the watch of a root directory has run: runsc's, and berth's where that is installed.
#pragma once

#include <berth/sandbox/record.hpp>

#include <string>
#include <utility>
#include <vector>

namespace berth::guest {

/// Runs it to its end, with nothing of this process's environment or signal mask, and gives its exit code; -1 where it has none. One
/// that takes longer is killed. What it prints is for nobody.
int run_program(const std::string& path, const std::vector<std::string>& argv, int milliseconds);

/// `berth reap`, which does to a sandbox what nobody is there for.
class berth_command {
 public:
  /// `program` is empty where there is none.
  berth_command(std::string root, std::string program) : root_(std::move(root)), program_(std::move(program)) {}
  explicit operator bool() const { return !program_.empty(); }

  /// As run_program. `what`: an option of it.
  int run(const sandbox_record& record, const char* what, int milliseconds) const {
    return run_program(program_, words(record, what), milliseconds);
  }
  /// Becomes it; comes back where that fails.
  void become(const sandbox_record& record) const;

 private:
  std::vector<std::string> words(const sandbox_record& record, const char* what) const;
  std::string root_, program_;
};

}  // namespace berth::guest
