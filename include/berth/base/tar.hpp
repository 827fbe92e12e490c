// SPDX-License-Identifier: Apache-2.0
// Tar archives as bytes (POSIX ustar with pax headers; GNU's long names are read, too). Pure, no I/O.
#pragma once

#include <berth/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth {

enum class tar_kind { file, hard_link, symlink, character_device, block_device, directory, fifo };

struct tar_entry {
  tar_kind kind = tar_kind::file;
  std::string name;    ///< as it stands in the archive: hostile, whatever the archive is from
  std::string target;  ///< of a link
  std::uint32_t mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;  ///< of a file; so many bytes follow
  std::int64_t mtime = 0;  ///< seconds since the epoch
  std::uint32_t device_major = 0, device_minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

/// The header blocks of an entry.
BERTH_DECL std::string tar_header(const tar_entry& entry);
/// How many zero bytes follow the content of a file.
constexpr std::size_t tar_padding(std::uint64_t size) noexcept {
  return static_cast<std::size_t>((512 - size % 512) % 512);
}
/// How many zero bytes end an archive.
inline constexpr std::size_t tar_end_size = 1024;

/// Takes an archive apart as it comes. What it holds is bounded: a header of at most 1 MiB, names of at most 4 KiB.
class tar_reader {
 public:
  struct piece {
    enum class kind { entry, content, end };
    kind what = kind::end;
    tar_entry entry;           ///< a new one
    std::string_view content;  ///< of the last one; until the reader's next call
  };
  /// Pieces of bounded size.
  BERTH_DECL void append(std::string_view data);
  /// The next piece, or nothing yet. After `end` whatever follows is passed over. Errors: invalid, for what is no archive or
  /// holds what is not for files (sparse ones too); the same error for ever then.
  BERTH_DECL result<std::optional<piece>> next();
  bool at_end() const noexcept { return ended_; }

 private:
  struct overrides {
    std::optional<std::string> name, target;
    std::optional<std::uint64_t> size;
    std::optional<std::int64_t> mtime;
    std::optional<std::uint32_t> uid, gid;
    std::vector<std::pair<std::string, std::string>> xattrs;
    bool sparse = false;
  };
  result<std::optional<piece>> take_header(std::string_view block);
  bool take_pax(std::string_view records);
  error broken(std::string message);

  std::string bytes_;
  std::size_t at_ = 0;
  std::uint64_t content_left_ = 0;  // of the entry
  std::size_t skip_ = 0;            // its padding
  char meta_ = 0;                   // a header about the next entry, of meta_size_ bytes, is under way
  std::size_t meta_size_ = 0;
  overrides next_;
  bool ended_ = false;
  std::optional<error> failed_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/tar.ipp>
#endif
