// SPDX-License-Identifier: Apache-2.0
// Files of a sandbox through its guest: no program of its root file system has a part in it.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/guest/channel.hpp>
#include <berth/guest/file_messages.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

namespace detail {
struct file_place;
struct file_transfer;
}  // namespace detail

/// Content on its way out of a sandbox. As much is taken of the sandbox as is asked for here. Destroying it breaks the transfer
/// off. Movable; used from the loop's thread only.
class guest_file_reader {
 public:
  /// The next piece, at most 64 KiB; empty at the end. Errors: errno's inside, of layer "files"; hostile; timeout (silence);
  /// cancelled; sandbox_not_running.
  BERTH_DECL boost::asio::awaitable<result<std::string>> next();
  /// All of it, to a descriptor, from where it stands. It waits on the loop for one that takes no more; its flags stay as they
  /// are. Errors: as next; errno's of the descriptor, of layer "process".
  BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> copy_to(int fd);

 private:
  friend class guest_files;
  std::shared_ptr<detail::file_transfer> transfer_;
};

/// Content on its way into a sandbox. Destroying it before finish() breaks the transfer off: a file is as it was then. Movable;
/// used from the loop's thread only.
class guest_file_writer {
 public:
  /// Waits while the sandbox takes no more. Errors: as guest_file_reader::next; the transfer is over then.
  BERTH_DECL boost::asio::awaitable<result<void>> write(std::string_view data);
  /// That was all of it; returns when it is in place. Errors: as write.
  BERTH_DECL boost::asio::awaitable<result<void>> finish();
  /// What can be read of a descriptor to its end, and finish(). Waits on the loop; the flags stay. Errors: as write; errno's of
  /// the descriptor, of layer "process".
  BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> copy_from(int fd);

 private:
  friend class guest_files;
  std::shared_ptr<detail::file_transfer> transfer_;
};

struct file_range {
  std::uint64_t offset = 0;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
};

struct file_write_options {
  std::optional<std::uint32_t> mode;  ///< permissions; none: those of the file that was there, or 0644
  bool parents = false;               ///< directories above are made
  std::string into;                   ///< the file's name, where the path is a directory
};

/// Where a guest listens: paths are its sandbox's, absolute or below the guest's own directory. Any bytes but NUL. What it does is
/// done as the guest's user, who is root. Several operations may be under way at once. Copies share their connections, some of
/// which are kept open; used from the loop's thread only.
///
/// Errors of all: errno's inside, of layer "files" with the path, as far as the sandbox tells the truth (invalid EINVAL,
/// not_found, exists, permission, too_big EFBIG, else io); hostile; timeout; cancelled; unsupported (a guest of another version);
/// as guest_channel::open. Nobody else is asked where the guest does not answer.
class guest_files {
 public:
  using opener = std::function<boost::asio::awaitable<result<guest_channel>>(time_point deadline)>;
  /// The guest's socket, in the shared directory of a sandbox: hostile ground, and treated as such.
  BERTH_DECL explicit guest_files(std::string socket_path);
  BERTH_DECL explicit guest_files(opener open);

  /// A FIFO is refused. What has no end, /dev/zero for one, is held to `range`.
  BERTH_DECL boost::asio::awaitable<result<guest_file_reader>> read(std::string path, file_range range);
  boost::asio::awaitable<result<guest_file_reader>> read(std::string path) {
    return read(std::move(path), file_range());
  }
  /// All of a file. Errors: too_big over `most` bytes.
  BERTH_DECL boost::asio::awaitable<result<std::string>> read_all(std::string path, std::size_t most);

  /// Replaces a file's content when all has come, or makes one: there whole, or as it was, with its owner. What is no regular
  /// file, and what cannot be replaced, is written in place. A symbolic link is followed.
  BERTH_DECL boost::asio::awaitable<result<guest_file_writer>> write(std::string path, file_write_options options);
  BERTH_DECL boost::asio::awaitable<result<void>> write_all(std::string path, std::string data,
                                                            file_write_options options);

  /// Of what a symbolic link leads to, where it is followed. `name` is empty.
  BERTH_DECL boost::asio::awaitable<result<file_info>> stat(std::string path, bool follow);
  /// A directory's entries, sorted by name; each name is one component of a path. Errors: too_big over `most` entries.
  BERTH_DECL boost::asio::awaitable<result<std::vector<file_info>>> list(std::string path,
                                                                         std::size_t most = 1'000'000);
  /// `recursive`: a directory with all that is in it; without it a directory is refused.
  BERTH_DECL boost::asio::awaitable<result<void>> remove(std::string path, bool recursive);
  /// `parents`: with those above, and one that is there is no error.
  BERTH_DECL boost::asio::awaitable<result<void>> make_directory(std::string path, bool parents,
                                                                 std::optional<std::uint32_t> mode = {});
  BERTH_DECL boost::asio::awaitable<result<void>> rename(std::string from, std::string to);

  /// A file or a tree as a tar (pax): hard links, symbolic links, owners, modes, times in seconds, attributes; sockets are left
  /// out. `name`: what the names in it begin with; empty: the last component of the path; ".": what is in the directory. `follow`:
  /// what the path leads to where it is a symbolic link.
  BERTH_DECL boost::asio::awaitable<result<guest_file_reader>> pack(std::string path, std::string name, bool follow);
  /// Unpacks a tar into a directory. One that is not there is made, with those above, as a whole or not at all, where `parents`
  /// is true, else it is an error. An entry takes the place of what has its name, but no file that of a directory. Names with
  /// `..` and those that lead out of the directory through symbolic links are refused (permission).
  BERTH_DECL boost::asio::awaitable<result<guest_file_writer>> unpack(std::string path, bool parents);

  duration patience = seconds(10);  ///< for connecting and the greeting
  duration silence = seconds(600);  ///< how long the guest may say, or take, nothing while a request is under way

 private:
  boost::asio::awaitable<result<std::shared_ptr<detail::file_transfer>>> begin(guest_file_request request);
  boost::asio::awaitable<result<void>> plain(guest_file_request request);

  std::shared_ptr<detail::file_place> place_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/files.ipp>
#endif
