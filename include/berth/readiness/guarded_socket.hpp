// SPDX-License-Identifier: Apache-2.0
// Connecting to a unix socket, on safe ground and on hostile ground.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>

#include <string>

namespace berth {

/// A stream connection to the socket at `path`, non-blocking. A unix connect never has to be waited for: with the
/// backlog full it fails with EAGAIN. Symlinks are followed; the path may be longer than sun_path. The error's
/// sys_errno tells.
BERTH_DECL result<unique_fd> connect_unix(const std::string& path);

/// The same where a sandbox may have put anything: the last component is opened with O_PATH and O_NOFOLLOW, checked to
/// be a socket, and connected to through the descriptor (so that it cannot be exchanged in between). errc::hostile when
/// it is something else, a symlink for one. The directories before it must be the caller's own. Needs /proc.
BERTH_DECL result<unique_fd> connect_guarded(const std::string& path);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/guarded_socket.ipp>
#endif
