// Questions that tell whether something is ready.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/process/executor.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace berth {

/// What one probe found. The three levels of readiness are kept apart: the process lives (not asked here: the poller
/// is told when it ends), the socket connects, the API answers.
struct probe_outcome {
  enum class kind {
    ready,      ///< done
    not_yet,    ///< ENOENT, ECONNREFUSED, EAGAIN, a timeout, an answer other than the wanted one
    fatal,      ///< waiting cannot mend it: EMFILE, EACCES, a symlink where a socket must be
  };
  kind what = kind::not_yet;
  bool connected = false;  ///< the socket level was reached
  error reason;            ///< for not_yet and fatal
};

/// One question, asked again and again. Must end by `deadline` and on cancellation; used from the loop's thread only.
class probe {
 public:
  virtual ~probe() = default;
  virtual boost::asio::awaitable<probe_outcome> ask(time_point deadline) = 0;
};

/// Where a socket is. A unix path on hostile ground (`guarded`) is opened with O_PATH|O_NOFOLLOW, checked to be a
/// socket, and connected through the descriptor, so that no symlink is followed.
struct socket_address {
  std::string unix_path;   ///< or empty, and then:
  std::string host;        ///< a numeric address
  std::uint16_t port = 0;
  bool guarded = false;
};

BERTH_DECL std::unique_ptr<probe> make_connect_probe(socket_address where);

/// GET `target` over HTTP/1.1 on a unix or TCP socket; ready on status 200 (and `accept(body)`, when given). Reads at
/// most 64 KiB.
BERTH_DECL std::unique_ptr<probe> make_http_probe(socket_address where, std::string target,
                                                  std::function<bool(std::string_view body)> accept = {});

/// Ready when the command exits with 0. The executor is borrowed and must outlive the probe.
BERTH_DECL std::unique_ptr<probe> make_command_probe(executor& where, command what);

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/readiness/probe.ipp>
#endif
