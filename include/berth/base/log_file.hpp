// SPDX-License-Identifier: Apache-2.0
// Log files of bounded size.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

/// Appends to `path`; at `limit` bytes the file becomes `path`.1, in place of an older one, and a new one begins. So at
/// most twice the limit is on disk, and a sandbox that prints without end fills nothing. Movable; one thread at a time.
class log_file {
 public:
  static constexpr std::uint64_t default_limit = 8u << 20;

  /// Mode 0600; a symlink at `path` is not followed. Errors of `layer`: errno's.
  BERTH_DECL static result<log_file> open(std::string path, std::string_view layer,
                                          std::uint64_t limit = default_limit);

  /// Written at once, so that readers see it. A full disk loses lines, silently: the sandbox goes on.
  BERTH_DECL void write(std::string_view data);
  BERTH_DECL void write_line(std::string_view line);

 private:
  log_file(std::string path, std::uint64_t limit) : path_(std::move(path)), limit_(limit) {}
  bool reopen();

  std::string path_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
  unique_fd fd_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/log_file.ipp>
#endif
