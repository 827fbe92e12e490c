// SPDX-License-Identifier: Apache-2.0
// What host and guest say to each other about files: requests, entries, answers, and what the host takes for an answer. Pure,
// no I/O.
#pragma once

#include <berth/guest/protocol.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// What is known of a file, directory, link or whatever else has a name.
struct file_info {
  std::string name;        ///< of a directory's entry: one component of a path; of a file asked for by its path: empty
  std::uint32_t mode = 0;  ///< as st_mode: the kind is in it
  std::uint64_t size = 0;
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime = 0;  ///< seconds since the epoch
  std::uint32_t mtime_ns = 0;
  std::string target;  ///< of a symbolic link

  BERTH_DECL bool is_directory() const noexcept;
  BERTH_DECL bool is_regular() const noexcept;
  BERTH_DECL bool is_symlink() const noexcept;
};

/// A request of the host's. Paths are bytes, absolute or below the guest's own directory.
struct guest_file_request {
  enum class verb : std::uint32_t {
    read = 1,  ///< bytes come as `out`
    write,     ///< bytes go as `input`, and `input_end` says that they were all: without it nothing is changed
    list,      ///< entries come in `out`, as many as fit one
    stat,      ///< one entry comes in `out`
    remove,
    make_directory,
    rename,
    pack,    ///< a tar comes as `out`
    unpack,  ///< a tar goes as `input`, and `input_end`
  };
  verb what = verb::stat;
  std::string path;
  /// rename: the new path. write: the name below `path` where that is a directory. pack: what the names in the tar begin with;
  /// empty: the last component of `path`; ".": the content of a directory alone.
  std::string other;
  std::uint64_t offset = 0;           ///< read
  std::uint64_t limit = 0;            ///< read: at most so many bytes
  std::optional<std::uint32_t> mode;  ///< write, make_directory: permissions; none: as it was, or 0644 and 0755
  bool follow = false;                ///< stat, pack: what a symbolic link leads to
  bool recursive = false;             ///< remove: a directory with all that is in it
  bool parents = false;               ///< write, make_directory: the directories above, too
};

/// The end of a request: of one that failed the reason.
struct guest_file_answer {
  std::uint32_t sys_errno = 0;  ///< 0: done
  std::string message;          ///< what failed
  std::string path;             ///< of what
};

BERTH_DECL std::string encode(const guest_file_request& m);
BERTH_DECL std::string encode(const guest_file_answer& m);
template <>
BERTH_DECL result<guest_file_request> decode_guest<guest_file_request>(std::string_view payload);
template <>
BERTH_DECL result<guest_file_answer> decode_guest<guest_file_answer>(std::string_view payload);

/// Appends an entry to what goes into an `out`.
BERTH_DECL void append_file_info(std::string& to, const file_info& info);
/// All of one `out`. Errors: hostile, also for a name that is not one component of a path (but an empty one, where it is one
/// entry alone).
BERTH_DECL result<std::vector<file_info>> decode_file_infos(std::string_view payload);

/// The host's half of what follows a request: what may come, and what came. All that the guest says is hostile.
class guest_file_conversation {
 public:
  explicit guest_file_conversation(guest_file_request::verb what, std::uint64_t most = 0) : what_(what), left_(most) {}

  /// Takes a frame; gives the bytes that came with it, until the caller's next call, nothing for the answer. Errors: hostile.
  BERTH_DECL result<std::string_view> take(guest_frame_kind kind, std::string_view payload);

  /// Once it has come; nothing is said after it.
  const std::optional<guest_file_answer>& answer() const noexcept { return answer_; }

 private:
  guest_file_request::verb what_;
  std::uint64_t left_;  // of a read
  std::uint32_t entries_ = 0;
  std::optional<guest_file_answer> answer_;
};

/// What a failed request is to the host's caller. The message and the path are made visible.
BERTH_DECL error guest_file_error(const guest_file_answer& answer);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/file_messages.ipp>
#endif
