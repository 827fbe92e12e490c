// SPDX-License-Identifier: Apache-2.0
// The sockets of a sandbox that processes on this host may be connected to, as the host's kernel has them: runsc's process holds
// them for the sandbox, and nothing in there can make believe that one is not there.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/record.hpp>

#include <cstddef>
#include <vector>

namespace berth {

struct sandbox_sockets {
  /// Copies: those that programs inside listen on in a directory of the host's, and the connections that the guest and Docker have.
  /// While there is a copy, who is connected does not hear that the sandbox has ended.
  std::vector<unique_fd> copies;
  static constexpr std::size_t most_copies = 64;
  /// Whether somebody is connected to runsc's own socket, as a `runsc exec` is, or to one of a program other than these two.
  bool others = false;
  bool too_many = false;  ///< there are more than are copied: nothing more was looked for

  /// Whether somebody has connected, or said something, and nobody inside has taken it. Connections that have been closed are
  /// left out from then on.
  BERTH_DECL bool has_caller();
};

/// Errors: unsupported (no pidfd_getfd(2), or no right to it); sandbox_not_running; io.
BERTH_DECL result<sandbox_sockets> find_sandbox_sockets(const sandbox_record& record);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/sandbox_sockets.ipp>
#endif
