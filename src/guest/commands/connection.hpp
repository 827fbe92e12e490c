// SPDX-License-Identifier: Apache-2.0
// One connection of the host's: greeting, then one command, which is its own until the connection ends, or one request, which is
// the server's or the daemon_keeper's to answer.
#pragma once

#include "child.hpp"
#include "base/event_loop.hpp"

#include <berth/base/unique_fd.hpp>
#include <berth/guest/protocol.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace berth::guest {

class connection : public std::enable_shared_from_this<connection> {
 public:
  /// `gone` is called once, when the connection has ended; `started` when its command runs, to be told of its end; `daemon`
  /// for a request about dockerd; `retreat` and `rest` for those; `file` for one about files, which hands the connection over.
  struct hooks {
    std::function<void(connection&)> gone;
    std::function<void(connection&, pid_t)> started;
    std::function<void(connection&, std::string_view request)> daemon;
    std::function<void(connection&, bool for_good)>
        retreat;  ///< for_good: what runs here is ended then, and goes on from what was saved
    std::function<void(connection&, guest_rest)> rest;
    std::function<void(connection&, std::string_view request)> file;
  };
  connection(event_loop& loop, unique_fd socket, hooks tell);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  void begin();
  /// The command has ended and was reaped; `status` is waitpid's.
  void on_exit(int status);

  /// News of dockerd; `last` ends the connection once it is sent. News that a host does not take are dropped, but the last.
  void tell_daemon_news(std::string_view news, bool last);
  bool closed() const { return closed_; }

  /// Whether a command was asked for and has not ended.
  bool has_command() const { return command_asked_ && !exited_ && !ending_; }
  /// Whatever its request was: no, and why. The connection ends once that is said.
  void refuse(std::string message, int err = 0);
  /// What another process needs to go on with it. It is to be closed here then.
  int socket() const { return socket_.get(); }
  const guest_frame_reader& received() const { return reader_; }
  const std::string& unsent() const { return unsent_; }
  void close();
  /// The last frame that is said, the answer to `retreat`.
  void tell_retreating();
  /// The answer to `rest`; the connection stays, for the host to end.
  void tell_idle(guest_rest how_long);

 private:
  /// A stream from the command to the host.
  struct source {
    unique_fd fd;
    guest_frame_kind kind = guest_frame_kind::out;
    std::uint32_t may_send = guest_stream_window;
    bool watched = false;
  };

  void on_socket(std::uint32_t events);
  void take(const guest_frame& frame);
  void take_start(const guest_frame& frame);
  void start(const guest_start& what);
  void take_input(std::string_view data);
  void feed_input();
  void end_input();
  void read_source(source& from);
  void end_source(source& from);
  void watch_sources();
  void say(guest_frame_kind kind, std::string_view payload);
  void flush();
  void tell_drained();

  event_loop& loop_;
  unique_fd socket_;
  hooks tell_;
  guest_frame_reader reader_{guest_request_limit};
  std::string unsent_;
  bool greeted_ = false;
  bool ending_ = false;  ///< nothing more is read; closed once all is sent
  bool closed_ = false;

  bool asked_ = false;          ///< a request has come
  bool rests_ = false;          ///< and it was to rest, after which it may be to retreat
  bool command_asked_ = false;  ///< and it was for a command
  pid_t pid_ = -1;
  bool exited_ = false;
  bool told_of_exit_ = false;
  bool drained_ = false;
  bool terminal_ = false;
  std::array<source, 2> sources_;
  unique_fd in_;  ///< the command's stdin; a terminal's input goes to sources_[0]
  std::string input_;
  std::uint32_t input_granted_ = guest_stream_window;
  bool input_ends_ = false;
  bool input_watched_ = false;
};

}  // namespace berth::guest
