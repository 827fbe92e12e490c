// SPDX-License-Identifier: Apache-2.0
// A directory for what is needed while one call of the command lasts.
#pragma once

#include <berth/base/result.hpp>

#include <string>
#include <utility>

namespace berth::cli {

/// Below $TMPDIR, or /var/tmp: an image is often larger than a /tmp that is kept in memory. No other user gets into it.
class scratch_directory {
 public:
  static result<scratch_directory> make();
  scratch_directory(scratch_directory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  scratch_directory& operator=(scratch_directory&&) = delete;
  ~scratch_directory() { (void)remove(); }

  const std::string& path() const noexcept { return path_; }
  /// With all that is in it, whatever its modes. A second time: nothing.
  result<void> remove();

 private:
  explicit scratch_directory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace berth::cli
