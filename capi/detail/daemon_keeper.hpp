// SPDX-License-Identifier: Apache-2.0
// Who keeps a dockerd: a supervisor on this loop, or the guest of a sandbox that berth manages. The same calls of both.
#pragma once

#include <berth/docker/guest_daemon.hpp>
#include <berth/docker/supervisor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace berth::capi {

/// As daemon_supervisor's functions of the same names. Loop thread only.
class daemon_keeper {
 public:
  virtual ~daemon_keeper() = default;
  /// The first part of start(): returns once dockerd's start goes on without this process, where there is such a thing.
  virtual boost::asio::awaitable<result<void>> begin() = 0;
  virtual boost::asio::awaitable<result<void>> start() = 0;
  virtual boost::asio::awaitable<result<void>> wait_ready(time_point deadline) = 0;
  virtual boost::asio::awaitable<daemon_status> wait_change(daemon_state state) = 0;
  virtual boost::asio::awaitable<result<void>> stop() = 0;
  virtual daemon_status status() const = 0;
  virtual void close() noexcept = 0;
};

/// A supervisor on this loop: a dockerd ends with it.
std::shared_ptr<daemon_keeper> make_supervising_keeper(boost::asio::any_io_executor loop, executor& where,
                                                       supervisor_options options);
/// The guest of `box`: a dockerd goes on without this, which then only stops to look.
std::shared_ptr<daemon_keeper> make_guest_keeper(boost::asio::any_io_executor loop, std::shared_ptr<sandbox> box,
                                                 supervisor_options options);

}  // namespace berth::capi
