// Log files of bounded size, one line at a time.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace berth::cli {

/// Appends to `path`; at `limit` bytes the file becomes `path`.1, in place of an older one, and a new one begins. So at
/// most twice the limit is on disk, and a sandbox that prints without end fills no host.
class log_file {
 public:
  static constexpr std::uint64_t default_limit = 8u << 20;

  static result<log_file> open(std::string path, std::uint64_t limit = default_limit);

  /// Written at once, so that readers see it. A full disk loses lines, silently: the sandbox goes on.
  void write(std::string_view data);
  void write_line(std::string_view line);

 private:
  log_file(std::string path, std::uint64_t limit) : path_(std::move(path)), limit_(limit) {}
  result<void> reopen();

  std::string path_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
  unique_fd fd_;
};

/// Copies `path`.1 and `path` to standard output; where `follow` is true goes on with what is appended, across
/// rotations, until `ended()` says that nothing more will come. Gives false when standard output is closed.
/// Errors: not_found when there is no such log.
result<bool> print_log(const std::string& path, bool follow, const std::function<bool()>& ended);

}  // namespace berth::cli
