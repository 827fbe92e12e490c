// SPDX-License-Identifier: Apache-2.0
// A connection to a sandbox's guest for frames other than a command's.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <string>

namespace berth {

/// Frames to and from the guest, one after the other. What comes is hostile: a frame is at most 64 KiB and well-formed, and
/// what it holds is for the caller to check. Movable; used from the loop's thread only; the destructor closes the connection.
class guest_channel {
 public:
  guest_channel() = default;  ///< none: its operations say closed
  struct message {
    guest_frame_kind kind{};
    std::string payload;
  };

  /// Connects to the socket at `path`, which is treated as hostile ground, and greets. Errors: not_found and again where
  /// nobody listens; hostile; unsupported (a guest of another version); timeout; cancelled; io.
  BERTH_DECL static boost::asio::awaitable<result<guest_channel>> open(std::string path, time_point deadline);

  /// Errors: too_big (over guest_request_limit), timeout, cancelled, io.
  BERTH_DECL boost::asio::awaitable<result<void>> send(guest_frame_kind kind, std::string payload, time_point deadline);
  /// The next frame. Errors: hostile, timeout, cancelled, sandbox_not_running (the guest went away), io.
  BERTH_DECL boost::asio::awaitable<result<message>> next(time_point deadline);
  /// Says nothing more, and waits until the guest has ended the connection: it has left nothing of what was under way then.
  BERTH_DECL boost::asio::awaitable<result<void>> hang_up(time_point deadline);
  /// Whether something has come that next() has not given. Never waits.
  BERTH_DECL bool has_input() const;

  /// The connection without what belongs to the loop, so that it may be kept longer than that; none where something was read of
  /// it and not taken. The channel is none afterwards.
  BERTH_DECL unique_fd release();
  /// Goes on with one that was released, on the loop `loop`. Errors: io.
  BERTH_DECL static result<guest_channel> adopt(const boost::asio::any_io_executor& loop, unique_fd socket);

 private:
  struct state;
  explicit guest_channel(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}
  std::shared_ptr<state> state_;
};

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/channel.ipp>
#endif
