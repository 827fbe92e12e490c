// SPDX-License-Identifier: Apache-2.0
// Directories with all that is in them, which may be as much and as odd as a sandbox makes it: by the host's `cp` and `du`.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace berth {

/// Copies a directory with all that is in it to `to`, which is not there yet: owners, modes, times, links, extended attributes,
/// holes and devices. Where the file system can share blocks (btrfs, XFS) nothing is written. Nothing inside is followed or
/// read through: sockets, pipes and links are made anew. A failure may leave a part of it at `to`.
/// Errors: not_found (no cp), io (what cp said, in `detail`; a path of 4096 bytes is too long for it), timeout; as run_process.
BERTH_DECL boost::asio::awaitable<result<void>> copy_tree(std::string from, std::string to, time_point deadline);

/// What it takes on the disk, in bytes; what is there under several names is counted once. Errors: as copy_tree.
BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> tree_bytes(std::string directory, time_point deadline);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/process/tree.ipp>
#endif
