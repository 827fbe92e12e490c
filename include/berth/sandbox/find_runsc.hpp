// SPDX-License-Identifier: Apache-2.0
// The runsc that the sandboxes of an environment run on.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/runsc/binary.hpp>
#include <berth/sandbox/config.hpp>

#include <boost/asio/awaitable.hpp>

namespace berth {

/// Finds the runsc that `where` names and asks it for its release and options, which takes some 0.4 s the first time on a
/// machine; then the answers are in <root>/.cache, where the root is there, and in this process.
/// Errors: runsc_not_found, permission, runsc_failed, runsc_output, cancelled, timeout.
BERTH_DECL boost::asio::awaitable<result<runsc_binary>> find_sandbox_runsc(environment where, time_point deadline);

/// The same on the calling thread: for programs without a loop, and for at most 30 s.
BERTH_DECL result<runsc_binary> find_sandbox_runsc_blocking(const environment& where);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/find_runsc.ipp>
#endif
