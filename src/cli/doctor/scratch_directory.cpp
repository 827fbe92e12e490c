// SPDX-License-Identifier: Apache-2.0
#include "doctor/scratch_directory.hpp"

#include "options/options.hpp"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace berth::cli {

namespace fs = std::filesystem;

namespace {

// Root removes from any directory; others only from those that they may write to, and an image has some that nobody may.
void open_directories(const fs::path& top) {
  std::error_code ignored;
  fs::recursive_directory_iterator at(top, fs::directory_options::skip_permission_denied, ignored);
  for (; at != fs::recursive_directory_iterator(); at.increment(ignored)) {
    if (at->symlink_status(ignored).type() == fs::file_type::directory)
      fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
  }
}

}  // namespace

result<scratch_directory> scratch_directory::make() {
  const std::string given = own_variable("TMPDIR");
  const std::string where = given.empty() ? std::string("/var/tmp") : absolute_path(given);
  std::string path = where + "/berth-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return errno_error(errno, "cli", "cannot make a temporary directory", where,
                       "name another place, with room for the image, by $TMPDIR");
  return scratch_directory(std::move(path));
}

result<void> scratch_directory::remove() {
  if (path_.empty()) return {};
  const std::string path = std::exchange(path_, {});
  std::error_code failed;
  fs::remove_all(path, failed);
  if (!failed) return {};
  open_directories(path);
  fs::remove_all(path, failed);
  if (failed) return errno_error(failed.value(), "cli", "cannot remove the temporary directory", path);
  return {};
}

}  // namespace berth::cli
