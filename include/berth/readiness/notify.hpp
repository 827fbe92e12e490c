// SPDX-License-Identifier: Apache-2.0
// sd_notify's receiving end: a process that berth starts says by itself that it is ready.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/readiness/probe.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace berth {

/// What one datagram of sd_notify(3) said; later lines win.
struct notify_message {
  bool ready = false;     ///< READY=1
  bool stopping = false;  ///< STOPPING=1
  std::string status;     ///< STATUS=…, free text from the process: quote it before it reaches a terminal
};

BERTH_DECL notify_message parse_notify(std::string_view datagram);

/// A unix datagram socket for a process of this host. Give the process `environment()`, then ask. Whoever can write to
/// the path can claim readiness, so it belongs in a directory of mode 0700. Movable; used from the loop's thread only;
/// the destructor removes the path.
class notify_socket {
 public:
  /// `path` must not exist and be at most 107 bytes long.
  BERTH_DECL static result<notify_socket> bind(boost::asio::any_io_executor executor, const std::string& path);
  BERTH_DECL notify_socket(notify_socket&&) noexcept;
  BERTH_DECL notify_socket& operator=(notify_socket&&) noexcept;
  BERTH_DECL ~notify_socket();

  BERTH_DECL std::string environment() const;  ///< "NOTIFY_SOCKET=<path>"

  /// Waits for READY=1; once it came, at once. One at a time. Errors: timeout (with the last STATUS in `detail`), cancelled,
  /// closed, state (another wait is under way).
  BERTH_DECL boost::asio::awaitable<result<void>> ready(time_point deadline = time_point::max());

 private:
  struct state;
  explicit notify_socket(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}
  std::shared_ptr<state> state_;
};

/// The same as a probe: an attempt lasts until READY=1 or its cap, so the poll ends the moment it comes. Borrowed.
BERTH_DECL std::unique_ptr<probe> make_notify_probe(notify_socket& socket);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/notify.ipp>
#endif
