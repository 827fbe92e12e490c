// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/token.hpp>
#include <berth/sandbox/detail/root_marker.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace berth::detail {

inline result<std::string> root_marker_file(const std::string& root) {
  struct stat info {};
  if (::stat(root.c_str(), &info) != 0)
    return errno_error(errno, "sandbox", "cannot open berth's root directory", root);
  return root + "/.root-" + std::to_string(info.st_dev) + "-" + std::to_string(info.st_ino);
}

BERTH_DECL result<std::string> find_root_prefix(const std::string& root) {
  auto file = root_marker_file(root);
  if (!file) return file;
  auto text = read_file(*file, 64, "sandbox");
  if (!text) {
    if (text.error().code == errc::not_found) return std::string();
    return std::move(text).error();
  }
  while (!text->empty() && text->back() == '\n') text->pop_back();
  if (text->size() != root_prefix_size || text->find_first_not_of(token_letters) != std::string::npos) {
    return make_error(errc::record_damaged, "sandbox", "the mark of berth's root directory cannot be read", *file,
                      "remove the file when none of its sandboxes runs");
  }
  return text;
}

BERTH_DECL result<std::string> make_root_prefix(const std::string& root) {
  auto there = find_root_prefix(root);
  if (!there || !there->empty()) return there;
  auto file = root_marker_file(root);
  if (!file) return file;
  // Whole from the moment when it has its name; who comes second takes what the first one drew.
  const std::string mine = *file + "-" + random_token(13);
  BERTH_TRY(replace_file(mine, random_token(root_prefix_size) + "\n", 0600, "sandbox"));
  const int failed = ::link(mine.c_str(), file->c_str()) == 0 || errno == EEXIST ? 0 : errno;
  ::unlink(mine.c_str());
  if (failed != 0) return errno_error(failed, "sandbox", "cannot mark berth's root directory", *file);
  return find_root_prefix(root);
}

}  // namespace berth::detail
