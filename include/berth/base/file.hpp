// SPDX-License-Identifier: Apache-2.0
// Small files: read whole, written whole.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <sys/types.h>

#include <string>
#include <string_view>

namespace berth {

/// Appends what is left to read of a descriptor. 0, errno, or EFBIG when that is more than `limit` bytes.
BERTH_DECL int read_all(int fd, std::string& out, std::size_t limit);

/// Writes all of it; waits where somebody made the descriptor non-blocking. 0 or errno.
BERTH_DECL int write_all(int fd, std::string_view bytes) noexcept;

/// A regular file, whole; a symlink is not followed, and a FIFO is not waited for. Errors of `layer`: errno's, too_big
/// (more than `limit` bytes), invalid (no regular file).
BERTH_DECL result<std::string> read_file(const std::string& path, std::size_t limit, std::string_view layer);

/// The last `limit` bytes of a regular file; a symlink is not followed. Errors of `layer`: errno's, invalid (no regular file).
BERTH_DECL result<std::string> read_file_end(const std::string& path, std::size_t limit, std::string_view layer);

/// A file of the kernel's or of the system's configuration, links followed: at most its first `limit` bytes. Empty when
/// it cannot be read: a process has ended, a file is not there.
BERTH_DECL std::string read_system_file(const std::string& path, std::size_t limit = 1u << 20);

/// The same, appended to `out`: 0, errno, or EFBIG when there was more.
BERTH_DECL int try_read_system_file(const std::string& path, std::string& out, std::size_t limit = 1u << 20);

/// The pid in a file, or 0 when there is none (yet). A symlink is not followed.
BERTH_DECL pid_t read_pid_file(const std::string& path);

/// A file without a name that holds `content`, to be handed to a child: nobody else sees it, and it goes with its
/// descriptors. Read from its beginning. Errors of `layer`: errno's.
BERTH_DECL result<unique_fd> memory_file(const char* name, std::string_view content, std::string_view layer);

/// Replaces a file of a directory that nobody else writes to, by rename: a reader sees the old one or the new one,
/// whole. Not synced to the disk. The mode is `mode` whatever the umask. Errors of `layer`: errno's.
BERTH_DECL result<void> replace_file(const std::string& path, std::string_view text, mode_t mode,
                                     std::string_view layer);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/base/file.ipp>
#endif
