// SPDX-License-Identifier: Apache-2.0
// A directory of the host that keeps Docker's data from one sandbox to the next.
#pragma once

#include <berth/base/log.hpp>
#include <berth/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace berth {

/// Where Docker's data lies below the directory that the user names.
inline constexpr std::string_view data_root_inside = "berth-data-root/docker";

/// Its file, where it is a file system of a size.
inline constexpr std::string_view data_root_disk = "berth-data-root/docker.ext4";

/// Makes ready the data root in `directory`, which must exist, and gives what to bind into the sandbox:
/// DIRECTORY/berth-data-root/docker. The sandbox may give that any mode, and puts setuid programs and device nodes in it; so
/// DIRECTORY/berth-data-root is berth's own, with mode 0700: closed to all other users of the host whatever is done below.
///
/// Where DIRECTORY itself was bound, as releases before did, what it holds is moved to its place (by renames, nothing is
/// copied; one that was broken off goes on). Such a directory may hold anything, and is closed for that.
///
/// Errors: permission (others own the directory or can write to it), exists (data of both layouts; the data root is a file
/// system of a size), invalid (something in the way; /var/lib/docker with the host's own Docker in it), errno's.
BERTH_DECL result<std::string> open_data_root(const std::string& directory, const log_sink& log = {});

/// The same for a data root of `bytes`: DIRECTORY/berth-data-root/docker.ext4, the file for a sandbox's disk
/// (sandbox_config::disk), which need not be there yet. Without a size: that file where there is one, else an empty text, and
/// open_data_root is what has it. Errors: as open_data_root's; exists (Docker's data is there without a size).
BERTH_DECL result<std::string> find_data_root_disk(const std::string& directory, std::uint64_t bytes);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/data_root.ipp>
#endif
