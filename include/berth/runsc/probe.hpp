// SPDX-License-Identifier: Apache-2.0
// What has to be asked of a runsc binary, one program after the other, by whoever can run programs.
#pragma once

#include <berth/runsc/binary.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Runs a program to its end and gives all that it wrote on stdout and stderr (`runsc flags` writes to stderr). An error
/// when it cannot be started or exits with anything but 0. The runsc layer starts no processes itself: a higher layer, or
/// the embedder, supplies this.
using runsc_runner = std::function<result<std::string>(const std::vector<std::string>& argv)>;

/// The asking of one binary as a value: it says what to run next and takes what came out, so that it can be run on a loop
/// (the sandbox layer does) as well as blocking (probe_runsc). Some 15 short programs, about 15 ms each.
/// The answers are kept under path, mtime, size and inode: in this process, and in `cache_dir` (made 0700; empty: not on
/// disk), so that a later start costs one stat and one small read. A damaged or foreign cache file is ignored and replaced;
/// a cache that cannot be written is no error. Not for use by several threads at once; different objects are independent.
class runsc_probe {
 public:
  /// Finds the binary (`name` as in find_runsc; empty: "runsc") and looks into the caches. Reads small files only.
  /// Errors: those of find_runsc, and errno's when the file cannot be looked at.
  BERTH_DECL static result<runsc_probe> begin(std::string_view name, std::string_view cache_dir = {},
                                              std::string_view search_path = runsc_binary::default_search_path);
  BERTH_DECL runsc_probe(runsc_probe&&) noexcept;
  BERTH_DECL runsc_probe& operator=(runsc_probe&&) noexcept;
  BERTH_DECL ~runsc_probe();

  /// The argv of the program to run now; nothing when all is known: `finish` then.
  BERTH_DECL std::optional<std::vector<std::string>> next() const;
  /// What that program wrote on stdout and stderr, or why it gave nothing, which ends the probe. Errors: runsc_failed
  /// (no_memory, cancelled and timeout stay what they are).
  BERTH_DECL result<void> answer(result<std::string> printed);
  /// The description. Errors: runsc_output.
  BERTH_DECL result<runsc_binary> finish();

 private:
  struct state;
  explicit runsc_probe(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

/// A runsc_probe from begin to finish with a runner that blocks. Thread-safe. Errors: those of runsc_probe; invalid when no
/// cache knows the binary and there is no runner.
BERTH_DECL result<runsc_binary> probe_runsc(std::string_view name, const runsc_runner& run,
                                            std::string_view cache_dir = {},
                                            std::string_view search_path = runsc_binary::default_search_path);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/runsc/probe.ipp>
#endif
