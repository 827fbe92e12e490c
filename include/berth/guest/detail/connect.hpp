// SPDX-License-Identifier: Apache-2.0
// A connection to a guest that may have its hands full.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/awaitable.hpp>

#include <cerrno>
#include <functional>

namespace berth::detail {

/// What `connect` gives; where the guest's backlog is full (EAGAIN) it is asked again, until the deadline. Errors: connect's,
/// cancelled.
inline boost::asio::awaitable<result<unique_fd>> connect_to_guest(std::function<result<unique_fd>()> connect,
                                                                  time_point deadline) {
  auto socket = connect();
  while (!socket && socket.error().code == errc::again && socket.error().sys_errno == EAGAIN &&
         clock::now() < deadline) {
    const milliseconds pause(2);
    const bool waited = co_await pause_for(pause);
    if (!waited) co_return make_error(errc::cancelled, "guest", "connecting to the sandbox's guest was cancelled");
    socket = connect();
  }
  co_return socket;
}

}  // namespace berth::detail
