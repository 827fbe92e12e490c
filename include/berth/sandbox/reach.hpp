// SPDX-License-Identifier: Apache-2.0
// Who on this host can reach a path: what a sandbox or an image brings (setuid programs, device nodes) is harmless as long
// as nobody but root gets to it.
#pragma once

#include <berth/base/result.hpp>

#include <string>

namespace berth {

/// Whether users other than root and this process's own get to `path`, which must exist: whether every directory above it
/// lets somebody else through, links followed. The mode of `path` itself does not count: who writes below it may set that.
/// Errors: errno's.
BERTH_DECL result<bool> others_reach(const std::string& path);

/// Whether the file system at `path` is mounted nosuid and nodev, so that setuid programs and device nodes in it are of no
/// use on this host. False where that cannot be told.
BERTH_DECL bool is_inert_mount(const std::string& path) noexcept;

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/reach.ipp>
#endif
