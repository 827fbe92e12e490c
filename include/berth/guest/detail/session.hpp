// SPDX-License-Identifier: Apache-2.0
// A command at the guest's and its connection, on an Asio loop: the thin shell around guest_conversation.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/guest/conversation.hpp>
#include <berth/guest/detail/fd_sink.hpp>
#include <berth/process/output_buffer.hpp>
#include <berth/process/process.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace berth::detail {

class guest_session : public std::enable_shared_from_this<guest_session> {
 public:
  BERTH_DECL guest_session(boost::asio::any_io_executor executor, stdio_options io);

  /// Takes the connection, greets, and sends the request once the guest has greeted. Errors: io.
  BERTH_DECL result<void> begin(unique_fd socket, std::string request);

  /// The guest was told of the command.
  bool asked() const noexcept { return conversation_.now() != guest_conversation::phase::greeting; }
  bool started() const noexcept { return conversation_.pid() != 0; }
  /// It ended, was refused or lost; its output may still come.
  bool over() const noexcept { return outcome_.has_value(); }
  const std::optional<result<exit_status>>& outcome() const noexcept { return outcome_; }
  pid_t pid() const noexcept { return static_cast<pid_t>(conversation_.pid()); }

  /// finished: over, and all of its output is where it was to go.
  enum class milestone { asked_or_over, started_or_over, finished };
  /// Errors: cancelled, timeout, closed.
  BERTH_DECL boost::asio::awaitable<result<void>> reach(milestone which, time_point deadline);

  BERTH_DECL boost::asio::awaitable<result<void>> write(std::string_view data);
  BERTH_DECL void end_input();
  BERTH_DECL result<void> signal(int signo);
  BERTH_DECL void resize(guest_terminal_size size);
  BERTH_DECL std::string output(output_stream which) const;

  /// The guest ends the command where it still runs. Whoever waits gets `closed`.
  BERTH_DECL void abandon();

 private:
  using descriptor = boost::asio::posix::stream_descriptor;
  struct stream {
    explicit stream(std::size_t limit) : ring(limit) {}
    output_ring ring;
    line_splitter lines;
    std::shared_ptr<fd_sink> sink;
  };

  result<void> open_streams();
  result<void> open_sink(output_stream which, int fd);
  stream& of(output_stream which) noexcept { return streams_[which == output_stream::out ? 0 : 1]; }
  const stream& of(output_stream which) const noexcept { return streams_[which == output_stream::out ? 0 : 1]; }

  void watch_socket();
  void read_socket();
  bool take(const guest_frame& frame);
  void on_progress();
  void await_rest();
  bool all_taken() const noexcept;
  bool is_at(milestone which) const noexcept;
  void deliver(output_stream which, std::string_view data);
  void dealt_with(output_stream which, std::size_t bytes);
  void say(guest_frame_kind kind, std::string_view payload = {});
  void flush();
  void feed_input();
  void read_input_fd();
  void end(result<exit_status> how);
  void lose(error why);
  void finish_if_done();
  void close_socket();
  void wake_all();

  boost::asio::any_io_executor executor_;
  stdio_options io_;
  guest_conversation conversation_;
  guest_frame_reader reader_{guest_frame_limit};
  descriptor socket_;
  std::string request_;
  std::string unsent_;
  bool writing_socket_ = false;

  std::string input_;             // for its stdin; empty when all of it is framed
  std::size_t input_framed_ = 0;  // of that
  bool input_ends_ = false;       // with the last byte of input_
  bool input_ended_ = false;
  bool writer_waits_ = false;
  descriptor input_fd_;  // for input::fd
  bool input_fd_plain_ = false;
  bool reading_input_fd_ = false;

  std::array<stream, 2> streams_;
  boost::asio::steady_timer drain_;
  std::size_t came_after_exit_ = 0;
  bool lost_ = false;  // the connection, before all was said
  bool all_came_ = false;
  bool finished_ = false;
  bool abandoned_ = false;
  int output_errno_ = 0;
  std::optional<result<exit_status>> outcome_;
  std::list<boost::asio::steady_timer*> waiters_;
};

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/guest/session.ipp>
#endif
