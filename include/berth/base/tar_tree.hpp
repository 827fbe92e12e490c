// SPDX-License-Identifier: Apache-2.0
// Directory trees into tar archives, and out of them without ever leaving the directory. Blocking, in pieces.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/tar.hpp>
#include <berth/base/unique_fd.hpp>

#include <sys/stat.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

/// A directory below an open one, by one component of a path; a symbolic link is not followed (ENOTDIR, ELOOP). Not by O_DIRECTORY
/// with O_NOFOLLOW: gVisor follows a link to a directory then (release-20260905). None, with errno.
BERTH_DECL unique_fd open_directory_itself(int at, const char* name) noexcept;

/// Reads a file or a tree as a tar. Symbolic links in it stay links; sockets are left out; hard links stay such among
/// themselves. A file that changes meanwhile has the length that it began with.
class tar_packer {
 public:
  /// `name`: what the names in the archive begin with; empty: the last component of `path`; ".": what is in the directory `path`.
  /// `follow`: what a symbolic link `path` leads to. Errors of `layer`: errno's, with the path.
  BERTH_DECL static result<tar_packer> open(const std::string& path, std::string name, bool follow,
                                            std::string_view layer);
  /// Appends some 256 KiB of the archive to `out`; false once it is complete. Errors: as open.
  BERTH_DECL result<bool> next(std::string& out);

 private:
  struct level {
    unique_fd directory;
    std::vector<std::string> names;  // what is yet to come, the next one last
    std::string prefix;              // of their names in the archive, empty or with a slash
  };
  result<void> add(std::string& out, int at, const char* name, std::string inside);
  result<void> add_open(std::string& out, unique_fd file, std::string inside);
  result<void> read_content(std::string& out);
  error failed(int err, std::string path) const;

  std::string layer_;
  std::string path_, name_;  // what is to be packed, until that was begun
  unique_fd followed_;       // what `path_` leads to, where links are followed
  std::vector<level> levels_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;  // names of files that have several
  unique_fd content_;
  std::string content_name_;
  std::uint64_t content_left_ = 0;
  std::size_t padding_ = 0;
  bool ended_ = false;
};

struct unpack_options {
  /// Owners, all of the mode, attributes and devices are made as the archive has them; else they are the caller's, the mode is
  /// without its special bits, and devices and FIFOs are refused.
  bool as_it_was = false;
  /// Symbolic links that are there are followed to directories inside; else they are refused on the way.
  bool follow_inside = false;
  std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t most_entries = 10'000'000;
};

/// Writes an archive as it comes into a directory. An entry takes the place of what has its name, but no file that of a
/// directory. Names with `..`, and those that lead out of the directory through symbolic links, are refused (permission).
class tar_unpacker {
 public:
  /// Errors of `layer`: errno's.
  BERTH_DECL static result<tar_unpacker> open(const std::string& directory, unpack_options options,
                                              std::string_view layer);
  /// The same in a directory that is open.
  BERTH_DECL tar_unpacker(unique_fd directory, unpack_options options, std::string_view layer);
  /// Errors: invalid (not an archive, hostile names), permission, too_big, errno's, with the entry's name. After one, no more is
  /// taken, and what was written so far is there.
  BERTH_DECL result<void> append(std::string_view data);
  /// The archive was whole: directories get their times. Errors: as append; invalid where it was cut short.
  BERTH_DECL result<void> finish();

 private:
  struct place {
    unique_fd directory;
    std::string name;
  };
  result<place> find_place(const std::string& name);
  result<void> begin(const tar_entry& entry);
  result<void> end_file();
  result<void> set_attributes(const tar_entry& entry, int at, const char* name, int fd);
  error failed(int err, const std::string& name) const;
  error refused(std::string why, const std::string& name) const;

  unpack_options options_;
  std::string layer_;
  unique_fd root_;
  bool is_whole_root_ = false;  // of this process: whatever leads to `/` stays inside
  tar_reader reader_;
  tar_entry file_;  // under way
  unique_fd content_;
  std::uint64_t bytes_ = 0, entries_ = 0;
  std::vector<tar_entry> directories_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/tar_tree.ipp>
#endif
