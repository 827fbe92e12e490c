// SPDX-License-Identifier: Apache-2.0
// Questions that tell whether something is ready.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/process/executor.hpp>
#include <berth/readiness/probe_outcome.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace berth {

/// One question, asked again and again. Must end by `deadline` and on cancellation; used from the loop's thread only.
/// One probe serves one poll at a time.
class probe {
 public:
  virtual ~probe() = default;
  virtual boost::asio::awaitable<probe_outcome> ask(time_point deadline) = 0;
};

/// Where a socket is. A unix path on hostile ground (`guarded`) is opened with O_PATH|O_NOFOLLOW, checked to be a
/// socket, and connected through the descriptor, so that no symlink is followed.
struct socket_address {
  std::string unix_path;  ///< or empty, and then:
  std::string host;       ///< a numeric address
  std::uint16_t port = 0;
  bool guarded = false;
};

BERTH_DECL std::unique_ptr<probe> make_connect_probe(socket_address where);

/// GET `target` over HTTP/1.1 on a unix or TCP socket, each time on a new connection; ready on status 200 (and
/// `accept(body)`, when given; without it the body is not read). Reads at most 64 KiB; a longer answer is not ready.
BERTH_DECL std::unique_ptr<probe> make_http_probe(socket_address where, std::string target,
                                                  std::function<bool(std::string_view body)> accept = {});

/// Ready when the command exits with 0. The executor is borrowed and must outlive the probe.
BERTH_DECL std::unique_ptr<probe> make_command_probe(executor& where, command what);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/probe.ipp>
#endif
