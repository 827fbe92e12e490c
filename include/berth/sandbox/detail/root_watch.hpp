// SPDX-License-Identifier: Apache-2.0
// A process on the host that ends a sandbox when the process that made it ends, whatever ends that.
//
// Neither can do it: the one may be killed by SIGKILL, and what runs inside is not trusted. So berth-init is started once more,
// on the host, with a pidfd of the creator (src/guest/watch.cpp).
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/sandbox/record.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace berth::detail {

/// The berth program that belongs to a berth-init: in the same directory or installation, else one in the usual places; empty
/// where there is none. It removes what is left of a sandbox whose processes were killed.
BERTH_DECL std::string find_command(const std::string& init);

class creator_watch {
 public:
  creator_watch() = default;
  /// Starts watching this process, and `owner` where that is a pidfd, for the sandbox of `record`, whose directory must be
  /// there, and its lifetime where that is not 0. Errors: as spawning.
  BERTH_DECL static boost::asio::awaitable<result<creator_watch>> start(std::string init, sandbox_record record,
                                                                        std::shared_ptr<const unique_fd> owner,
                                                                        duration lifetime, time_point deadline);
  /// The sandbox runs. Destroyed without this, it takes what is still there of the sandbox down.
  void sandbox_runs() { say('r'); }
  /// This process's end is nothing to it any more.
  void handed_over() {
    say('h');
    pipe_.reset();
  }

 private:
  BERTH_DECL void say(char what);
  unique_fd pipe_;
};

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/sandbox/creator_watch.ipp>
#endif
