// SPDX-License-Identifier: Apache-2.0
// A directory of the host that keeps Docker's data from one sandbox to the next.
#pragma once

#include <berth/base/log.hpp>
#include <berth/base/result.hpp>

#include <string>
#include <string_view>

namespace berth {

/// Where Docker's data lies below the directory that the user names.
inline constexpr std::string_view data_root_inside = "berth-data-root/docker";

/// Makes ready the data root in `directory`, which must exist, and gives what to bind into the sandbox:
/// DIRECTORY/berth-data-root/docker. The sandbox may give that any mode, and puts setuid programs and device nodes in it; so
/// DIRECTORY/berth-data-root is berth's own, with mode 0700: closed to all other users of the host whatever is done below.
///
/// Where DIRECTORY itself was bound, as releases before did, what it holds is moved to its place (by renames, nothing is
/// copied; one that was broken off goes on). Such a directory may hold anything, and is closed for that.
///
/// Errors: permission (others own the directory or can write to it), exists (data of both layouts), invalid (something in
/// the way; /var/lib/docker with the host's own Docker in it), errno's.
BERTH_DECL result<std::string> open_data_root(const std::string& directory, const log_sink& log = {});

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/docker/data_root.ipp>
#endif
