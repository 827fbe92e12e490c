// SPDX-License-Identifier: Apache-2.0
// One sandbox's runsc: the binary, its global options, and running a verb to its end.
#pragma once

#include <berth/process/process.hpp>
#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace berth::detail {

struct runsc_client {
  runsc_binary binary;
  runsc_globals globals;  ///< those that every verb has: --root
  std::string id;

  BERTH_DECL static runsc_client of(runsc_binary binary, const sandbox_record& record);
};

/// Runs runsc with nothing on stdin, and no descriptors but `fds`. A non-zero exit is runsc_failed with what it said.
BERTH_DECL boost::asio::awaitable<result<std::string>> run_runsc(runsc_argv argv, time_point deadline,
                                                                 std::vector<fd_mapping> fds = {});

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/runsc_client.ipp>
#endif
