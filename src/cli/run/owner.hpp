// SPDX-License-Identifier: Apache-2.0
// The process that a sandbox ends with, by `berth run --ends-with`.
#pragma once

#include "interrupts.hpp"

#include <berth/base/unique_fd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>

namespace berth::cli {

/// Ends what runs as SIGTERM does, once the process has ended.
class owner_watch {
 public:
  /// `pidfd`: null for none.
  owner_watch(boost::asio::any_io_executor loop, const std::shared_ptr<const unique_fd>& pidfd, interrupts& signals);
  owner_watch(const owner_watch&) = delete;
  owner_watch& operator=(const owner_watch&) = delete;

  bool gone() const noexcept { return gone_; }
  /// Until it has ended, or a signal comes. At once where there is none.
  boost::asio::awaitable<void> wait();

 private:
  boost::asio::posix::stream_descriptor process_;
  interrupts& signals_;
  bool gone_ = false;
};

}  // namespace berth::cli
