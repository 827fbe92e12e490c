// SPDX-License-Identifier: Apache-2.0
// A directory that stands for `/`, as a root file system does before a sandbox runs on it.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <string>
#include <string_view>

namespace berth {

/// Paths resolve as they do inside: no symlink and no `..` of an image leads out of the directory (openat2 with
/// RESOLVE_IN_ROOT, Linux 5.6).
class rooted {
 public:
  /// Errors of `layer`: errno's.
  BERTH_DECL static result<rooted> open(const std::string& directory, std::string_view layer);

  /// Opens with `flags` and O_CLOEXEC; none, with errno set, where that fails.
  BERTH_DECL unique_fd open_inside(const std::string& path, int flags) const noexcept;

  /// A regular file, whole. Empty where there is none: nothing of the name, or a hostile image's FIFO or loop of
  /// symlinks. Errors of `layer`: errno's, too_big (more than `limit` bytes).
  BERTH_DECL result<std::string> read(const std::string& path, std::size_t limit, std::string_view layer) const;

 private:
  unique_fd directory_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/rooted.ipp>
#endif
