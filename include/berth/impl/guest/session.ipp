// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/visible_text.hpp>
#include <berth/guest/detail/session.hpp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace berth::detail {

inline error guest_io_error(int err, const char* what) { return errno_error(err, "guest", what); }

inline error guest_stdin_closed() { return make_error(errc::closed, "guest", "the stdin of this command is closed"); }

/// A sandbox's words, with what could drive a terminal made visible.
inline std::string shown(std::string_view text) {
  std::string out;
  append_shown(out, text);
  return out;
}

BERTH_DECL guest_session::guest_session(boost::asio::any_io_executor executor, stdio_options io)
    : executor_(std::move(executor)),
      io_(std::move(io)),
      socket_(executor_),
      input_fd_(executor_),
      streams_{stream(io_.capture_limit), stream(io_.capture_limit)},
      drain_(executor_) {}

BERTH_DECL result<void> guest_session::begin(unique_fd socket, std::string request) {
  BERTH_TRY(open_streams());
  boost::system::error_code failed;
  socket_.assign(socket.get(), failed);
  if (failed) return guest_io_error(failed.value(), "cannot watch the connection to the guest");
  (void)socket.release();
  request_ = std::move(request);
  say(guest_frame_kind::hello, encode(guest_hello{guest_protocol_version, BERTH_VERSION_STRING}));
  flush();
  watch_socket();
  return {};
}

inline result<void> guest_session::open_streams() {
  using input = stdio_options::input;
  using output = stdio_options::output;
  if (io_.in == input::text) input_ = std::exchange(io_.in_text, {});
  if (io_.in == input::text) input_ends_ = true;
  if (io_.in == input::fd) {
    unique_fd own(::fcntl(io_.in_fd, F_DUPFD_CLOEXEC, 3));
    struct stat info {};
    if (!own || ::fstat(own.get(), &info) != 0) return guest_io_error(errno, "cannot take the descriptor of stdin");
    input_fd_plain_ = S_ISREG(info.st_mode);
    boost::system::error_code failed;
    input_fd_.assign(own.get(), failed);
    if (failed) return guest_io_error(failed.value(), "cannot watch the descriptor of stdin");
    (void)own.release();
  }
  if (io_.out == output::fd) BERTH_TRY(open_sink(output_stream::out, io_.out_fd));
  if (io_.err == output::fd) BERTH_TRY(open_sink(output_stream::err, io_.err_fd));
  return {};
}

inline result<void> guest_session::open_sink(output_stream which, int fd) {
  const std::weak_ptr<guest_session> weak = weak_from_this();
  fd_sink::hooks tell;
  tell.written = [weak, which](std::size_t bytes) {
    if (const auto self = weak.lock()) self->dealt_with(which, bytes);
  };
  tell.broken = [weak, which](int err) {
    const auto self = weak.lock();
    if (!self) return;
    if (err != EPIPE && self->output_errno_ == 0) self->output_errno_ = err;
    self->say(guest_frame_kind::unwanted, encode(guest_grant{static_cast<std::uint8_t>(which), 0}));
    self->flush();
  };
  auto sink = fd_sink::open(executor_, fd, std::move(tell));
  if (!sink) return std::move(sink).error();
  of(which).sink = std::move(*sink);
  return {};
}

inline void guest_session::watch_socket() {
  socket_.async_wait(descriptor::wait_read, [self = shared_from_this()](boost::system::error_code failed) {
    if (!failed && self->socket_.is_open()) self->read_socket();
  });
}

inline void guest_session::read_socket() {
  char buffer[64 * 1024];
  // At most 256 KiB in a row, so that one loud command does not starve the others.
  for (int round = 0; round < 4; ++round) {
    const ssize_t n = ::recv(socket_.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return lose(guest_io_error(errno, "the connection to the sandbox's guest broke"));
    if (n == 0) {
      return lose(make_error(errc::sandbox_not_running, "guest", "the sandbox's guest went away", {},
                             "the sandbox may have ended"));
    }
    reader_.append({buffer, static_cast<std::size_t>(n)});
    for (;;) {
      auto frame = reader_.next();
      if (!frame) return lose(std::move(frame).error());
      if (!*frame) break;
      if (!take(**frame)) return;
    }
    flush();
    if (static_cast<std::size_t>(n) < sizeof buffer) break;
  }
  if (socket_.is_open()) watch_socket();
}

// False when the session is over for the socket.
inline bool guest_session::take(const guest_frame& frame) {
  const auto before = conversation_.now();
  auto piece = conversation_.take(frame);
  if (!piece) {
    lose(std::move(piece).error());
    return false;
  }
  if (*piece) deliver((*piece)->stream, (*piece)->data);
  if (abandoned_ || finished_) return false;  // a handler has let go of it
  if (conversation_.now() != before) on_progress();
  else if (frame.kind == guest_frame_kind::wanted || frame.kind == guest_frame_kind::deaf) feed_input();
  return socket_.is_open();
}

inline void guest_session::on_progress() {
  using phase = guest_conversation::phase;
  switch (conversation_.now()) {
    case phase::starting:
      unsent_ += request_;
      request_ = {};
      flush();
      wake_all();
      break;
    case phase::running:
      feed_input();
      wake_all();
      break;
    case phase::exited:
      end(*conversation_.status());
      await_rest();
      break;
    case phase::drained:
      all_came_ = true;
      close_socket();
      finish_if_done();
      break;
    case phase::refused: {
      const guest_refused& why = conversation_.refusal();
      all_came_ = true;
      if (why.exit_code != 0) {
        deliver(output_stream::err, shown(why.message) + "\n");
        end(exit_status{static_cast<int>(why.exit_code), 0});
      } else {
        const errc code = why.sys_errno == ENOENT ? errc::not_found : errc::invalid;
        end(make_error(code, "guest", "the sandbox's guest refused: " + shown(why.message)));
      }
      close_socket();
      finish_if_done();
      break;
    }
    case phase::greeting: break;
  }
}

// Of a command that has ended. Its own output has come by now, but for what was held back for want of a grant, which is less
// than a window. What its children still hold open gets a second, as in process::wait. A reader that has not taken all gets
// as long as that takes, but where the connection was lost a second too: nobody is held up for ever by it.
inline void guest_session::await_rest() {
  drain_.expires_after(seconds(1));
  drain_.async_wait([self = shared_from_this()](boost::system::error_code stopped) {
    if (stopped || self->finished_) return;
    if (!self->lost_ && !self->all_taken()) return self->await_rest();
    for (stream& s : self->streams_) {
      if (s.sink) s.sink->close();
    }
    self->all_came_ = true;
    self->close_socket();
    self->finish_if_done();
  });
}

inline void guest_session::deliver(output_stream which, std::string_view data) {
  stream& to = of(which);
  const auto how = which == output_stream::out ? io_.out : io_.err;
  if (conversation_.now() == guest_conversation::phase::exited) {
    came_after_exit_ += data.size();
    if (came_after_exit_ > 2 * guest_stream_window) return;  // a child's, that goes on
  }
  if (how == stdio_options::output::fd) return to.sink->append(data);
  const std::size_t size = data.size();
  if (how == stdio_options::output::capture) {
    const auto self = shared_from_this();  // a handler may drop us
    to.ring.append(data);
    if (io_.on_data) io_.on_data(which, data);
    if (io_.on_line && !abandoned_) {
      to.lines.append(data, [&](std::string_view line) {
        if (!abandoned_) io_.on_line(which, line);
      });
    }
  }
  if (!abandoned_) dealt_with(which, size);
}

inline void guest_session::dealt_with(output_stream which, std::size_t bytes) {
  if (const std::uint32_t grant = conversation_.consumed(which, bytes); grant > 0 && socket_.is_open()) {
    say(guest_frame_kind::grant, encode(guest_grant{static_cast<std::uint8_t>(which), grant}));
    flush();
  }
  finish_if_done();
}

inline void guest_session::say(guest_frame_kind kind, std::string_view payload) {
  if (socket_.is_open()) append_guest_frame(unsent_, kind, payload);
}

inline void guest_session::flush() {
  if (!socket_.is_open() || writing_socket_) return;
  std::size_t done = 0;
  while (done < unsent_.size()) {
    const ssize_t n =
        ::send(socket_.native_handle(), unsent_.data() + done, unsent_.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) {  // what it said before it went is still to be read
      unsent_.clear();
      return;
    }
    done += static_cast<std::size_t>(n);
  }
  unsent_.erase(0, done);
  if (unsent_.empty()) return;
  writing_socket_ = true;
  socket_.async_wait(descriptor::wait_write, [self = shared_from_this()](boost::system::error_code failed) {
    self->writing_socket_ = false;
    if (failed || !self->socket_.is_open()) return;
    self->flush();
    self->feed_input();
  });
}

// Frames of what is to go to its stdin, as far as the guest has asked for it and the socket takes it.
inline void guest_session::feed_input() {
  if (conversation_.now() != guest_conversation::phase::running || input_ended_) return;
  constexpr std::size_t piece = 64 * 1024;
  while (input_framed_ < input_.size() && conversation_.may_send() > 0 && unsent_.size() < 2 * piece) {
    const auto next =
        std::string_view(input_).substr(input_framed_, std::min<std::size_t>(piece, conversation_.may_send()));
    say(guest_frame_kind::input, next);
    conversation_.sent(static_cast<std::uint32_t>(next.size()));
    input_framed_ += next.size();
  }
  // Not piece by piece: a text may be of any size, and what is left of it would be moved each time.
  if (input_framed_ == input_.size() || conversation_.deaf()) {
    input_.clear();
    input_framed_ = 0;
  }
  if (input_.empty() && (input_ends_ || conversation_.deaf())) {
    input_ended_ = true;
    if (!conversation_.deaf()) say(guest_frame_kind::input_end);
    boost::system::error_code ignored;
    input_fd_.close(ignored);
  }
  flush();
  if (writer_waits_ && input_.empty()) wake_all();
  if (input_fd_.is_open() && input_.empty() && !reading_input_fd_ && conversation_.may_send() > 0) read_input_fd();
}

inline void guest_session::read_input_fd() {
  const auto take_some = [this] {
    char buffer[64 * 1024];
    const std::size_t most = std::min<std::size_t>(sizeof buffer, conversation_.may_send());
    const ssize_t n = ::read(input_fd_.native_handle(), buffer, most);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) input_ends_ = true;
    else input_.append(buffer, static_cast<std::size_t>(n));
  };
  reading_input_fd_ = true;
  const auto then = [self = shared_from_this(), take_some](boost::system::error_code failed) {
    self->reading_input_fd_ = false;
    if (failed || !self->input_fd_.is_open()) return;
    take_some();
    self->feed_input();
  };
  // A regular file is always ready, and unknown to epoll. By way of the loop all the same, so that others have their turn.
  if (input_fd_plain_) boost::asio::post(executor_, [then] { then({}); });
  else input_fd_.async_wait(descriptor::wait_read, then);
}

inline void guest_session::end(result<exit_status> how) {
  if (outcome_) return;
  outcome_ = std::move(how);
  wake_all();
}

inline void guest_session::lose(error why) {
  // After its end, losing the connection loses output at most.
  if (!outcome_ && conversation_.now() == guest_conversation::phase::running && why.code == errc::sandbox_not_running) {
    why.message += " while the command ran";
  }
  end(std::move(why));
  lost_ = true;
  all_came_ = true;
  close_socket();
  finish_if_done();
  if (!finished_) await_rest();
}

inline bool guest_session::all_taken() const noexcept {
  return std::all_of(streams_.begin(), streams_.end(), [](const stream& s) { return !s.sink || s.sink->empty(); });
}

inline void guest_session::finish_if_done() {
  if (finished_ || !outcome_ || !all_came_ || !all_taken()) return;
  finished_ = true;
  drain_.cancel();
  const auto self = shared_from_this();
  for (const auto which : {output_stream::out, output_stream::err}) {
    if (io_.on_line && !abandoned_) of(which).lines.finish([&](std::string_view line) { io_.on_line(which, line); });
    if (of(which).sink) of(which).sink->close();
  }
  if (output_errno_ != 0 && *outcome_ && (*outcome_)->success()) {
    outcome_ = guest_io_error(output_errno_, "the command's output could not be written, and is cut off");
  }
  wake_all();
}

inline void guest_session::close_socket() {
  // A process that was forked off this one may have the connection open as well: closing it alone would end nothing.
  if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_RDWR);
  boost::system::error_code ignored;
  socket_.close(ignored);
  input_fd_.close(ignored);
}

inline void guest_session::wake_all() {
  for (auto* timer : waiters_) timer->cancel();
}

inline bool guest_session::is_at(milestone which) const noexcept {
  switch (which) {
    case milestone::asked_or_over: return asked() || over();
    case milestone::started_or_over: return started() || over();
    case milestone::finished: break;
  }
  return finished_;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_session::reach(milestone which, time_point deadline) {
  const auto self = shared_from_this();
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  boost::asio::steady_timer timer(executor_);
  const auto place = waiters_.insert(waiters_.end(), &timer);
  result<void> outcome;
  for (;;) {
    if (is_at(which)) break;
    if (abandoned_) {
      outcome = make_error(errc::closed, "guest", "the command was given up");
    } else if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
      outcome = make_error(errc::cancelled, "guest", "cancelled while waiting for the command");
    } else if (clock::now() >= deadline) {
      outcome = make_error(errc::timeout, "guest",
                           over() ? "the command's output was not taken in time" : "the command did not end in time");
    }
    if (!outcome) break;
    timer.expires_at(deadline);
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
  }
  waiters_.erase(place);
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_session::write(std::string_view data) {
  const auto self = shared_from_this();
  if (io_.in != stdio_options::input::pipe) {
    co_return make_error(errc::state, "guest", "the stdin of this command is not a pipe of ours");
  }
  if (writer_waits_) co_return make_error(errc::state, "guest", "another write to this command is under way");
  if (input_ends_ || conversation_.deaf() || over() || abandoned_) co_return guest_stdin_closed();
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  writer_waits_ = true;
  boost::asio::steady_timer timer(executor_);
  const auto place = waiters_.insert(waiters_.end(), &timer);
  result<void> outcome;
  constexpr std::size_t piece = 256 * 1024;
  while (outcome && (!data.empty() || !input_.empty())) {
    if (conversation_.deaf() || over() || abandoned_) {
      outcome = guest_stdin_closed();
    } else if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
      outcome = make_error(errc::cancelled, "guest", "cancelled while writing to the command");
    } else if (input_.empty()) {
      input_ = data.substr(0, piece);
      data.remove_prefix(input_.size());
      feed_input();
    } else {
      timer.expires_at(time_point::max());
      boost::system::error_code woken;
      co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
  }
  waiters_.erase(place);
  writer_waits_ = false;
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

BERTH_DECL void guest_session::end_input() {
  if (io_.in != stdio_options::input::pipe) return;
  input_ends_ = true;
  feed_input();
}

BERTH_DECL result<void> guest_session::signal(int signo) {
  if (over() || !started()) return make_error(errc::state, "guest", "the command has ended");
  if (signo < 1 || signo > 64) return make_error(errc::invalid, "guest", "not a signal", std::to_string(signo));
  // A command started by the guest leads a group of its own. SIGKILL cannot be passed on to its children by the command
  // itself, so it goes to all of them.
  say(guest_frame_kind::signal, encode(guest_signal{static_cast<std::uint32_t>(signo), signo == SIGKILL}));
  flush();
  return {};
}

BERTH_DECL void guest_session::resize(guest_terminal_size size) {
  if (over() || !started()) return;
  say(guest_frame_kind::resize, encode(size));
  flush();
}

BERTH_DECL std::string guest_session::output(output_stream which) const { return of(which).ring.text(); }

BERTH_DECL void guest_session::abandon() {
  abandoned_ = true;
  close_socket();
  drain_.cancel();
  for (stream& s : streams_) {
    if (s.sink) s.sink->close();
  }
  wake_all();
}

}  // namespace berth::detail
