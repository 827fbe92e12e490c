// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace berth::guest {
namespace {

// So much may wait for a host that reads slowly before the command's streams are left alone.
constexpr std::size_t most_unsent = 256 * 1024;
constexpr std::size_t most_in_a_frame = guest_frame_limit;

}  // namespace

connection::connection(event_loop& loop, unique_fd socket, hooks tell)
    : loop_(loop), socket_(std::move(socket)), tell_(std::move(tell)) {
  sources_[1].kind = guest_frame_kind::err;
}

connection::~connection() {
  tell_.gone = nullptr;  // whoever drops it knows
  close();
}

void connection::begin() {
  say(guest_frame_kind::greeting, encode(guest_hello{guest_protocol_version, BERTH_VERSION_STRING}));
  const std::weak_ptr<connection> weak = weak_from_this();
  const bool watched = loop_.watch(socket_.get(), EPOLLIN, [weak](std::uint32_t events) {
    if (const auto self = weak.lock()) self->on_socket(events);
  });
  if (!watched) return close();
  flush();
}

void connection::on_socket(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if (closed_ || (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) == 0) return;
  char buffer[64 * 1024];
  const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return close();
  if (ending_) return;
  reader_.append({buffer, static_cast<std::size_t>(n)});
  while (!closed_ && !ending_) {
    const auto frame = reader_.next();
    if (!frame) return refuse(frame.error().message);
    if (!*frame) return;
    take(**frame);
  }
}

void connection::take(const guest_frame& frame) {
  using kind = guest_frame_kind;
  if (!greeted_) {
    const auto hello = frame.kind == kind::hello
                           ? decode_guest<guest_hello>(frame.payload)
                           : result<guest_hello>(make_error(errc::hostile, "guest", "no greeting"));
    if (!hello) return refuse(hello.error().message);
    if (hello->version != guest_protocol_version) {
      return refuse("this guest speaks version " + std::to_string(guest_protocol_version) +
                    " of the protocol, its host " + std::to_string(hello->version));
    }
    greeted_ = true;
    return;
  }
  switch (frame.kind) {
    case kind::start: return take_start(frame);
    case kind::input: return take_input(frame.payload);
    case kind::input_end: return end_input();
    case kind::signal: {
      const auto signal = decode_guest<guest_signal>(frame.payload);
      if (!signal) return refuse(signal.error().message);
      // One that was reaped has given its pid away.
      if (pid_ <= 0 || exited_) return;
      (void)::kill(signal->group ? -pid_ : pid_, static_cast<int>(signal->number));
      return;
    }
    case kind::resize: {
      const auto size = decode_guest<guest_terminal_size>(frame.payload);
      if (!size) return refuse(size.error().message);
      if (terminal_ && sources_[0].fd) set_terminal_size(sources_[0].fd.get(), *size);
      return;
    }
    case kind::grant: {
      const auto grant = decode_guest<guest_grant>(frame.payload);
      if (!grant || grant->stream == 0) return refuse("not a grant");
      source& to = sources_[grant->stream == 1 ? 0 : 1];
      to.may_send = std::min(guest_stream_window, to.may_send + grant->bytes);
      watch_sources();
      return;
    }
    case kind::unwanted: {
      const auto which = decode_guest<guest_grant>(frame.payload);
      if (!which || which->stream == 0) return refuse("not a stream");
      source& from = sources_[which->stream == 1 ? 0 : 1];
      if (from.fd) end_source(from);
      return flush();
    }
    case kind::daemon: {
      if (asked_) return refuse("a second request for one connection");
      asked_ = true;
      return tell_.daemon(*this, frame.payload);
    }
    case kind::retreat: {
      if (asked_ && !rests_) return refuse("a second request for one connection");
      asked_ = true;
      rests_ = false;
      return tell_.retreat(*this, !frame.payload.empty());
    }
    case kind::rest: {
      if (asked_) return refuse("a second request for one connection");
      asked_ = true;
      const auto wanted = decode_guest<guest_rest>(frame.payload);
      if (!wanted) return refuse(wanted.error().message);
      rests_ = true;
      return tell_.rest(*this, *wanted);
    }
    case kind::file: {
      if (asked_) return refuse("a second request for one connection");
      asked_ = true;
      return tell_.file(*this, frame.payload);
    }
    default: return refuse("a frame that a host does not send");
  }
}

void connection::take_start(const guest_frame& frame) {
  if (asked_) return refuse("a second command for one connection");
  auto what = decode_guest<guest_start>(frame.payload);
  if (!what) return refuse(what.error().message);
  asked_ = true;
  command_asked_ = true;
  // A start takes milliseconds, in which whoever knocks would hear nothing: many at once are greeted first.
  loop_.later([weak = weak_from_this(), what = std::move(*what)] {
    const auto self = weak.lock();
    if (self && !self->closed_ && !self->ending_) self->start(what);
  });
}

void connection::start(const guest_start& what) {
  start_outcome outcome = start_child(what);
  if (outcome.started.pid < 0) {
    say(guest_frame_kind::refused, encode(outcome.refused));
    ending_ = true;
    return flush();
  }
  pid_ = outcome.started.pid;
  terminal_ = outcome.started.terminal;
  in_ = std::move(outcome.started.in);
  sources_[0].fd = std::move(outcome.started.out);
  sources_[1].fd = std::move(outcome.started.err);
  tell_.started(*this, pid_);
  say(guest_frame_kind::started, encode(guest_started{static_cast<std::uint32_t>(pid_)}));
  const std::weak_ptr<connection> weak = weak_from_this();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!sources_[i].fd) continue;
    loop_.watch(sources_[i].fd.get(), 0, [weak, i](std::uint32_t events) {
      const auto self = weak.lock();
      if (!self) return;
      if (self->terminal_ && (events & EPOLLOUT) != 0) self->feed_input();
      if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && !self->closed_) self->read_source(self->sources_[i]);
    });
  }
  if (in_) {
    loop_.watch(in_.get(), 0, [weak](std::uint32_t) {
      if (const auto self = weak.lock()) self->feed_input();
    });
  }
  watch_sources();
  flush();
}

void connection::take_input(std::string_view data) {
  if (data.size() > input_granted_) return refuse("more input than was asked for");
  input_granted_ -= static_cast<std::uint32_t>(data.size());
  input_ += data;
  feed_input();
}

void connection::end_input() {
  input_ends_ = true;
  feed_input();
}

void connection::feed_input() {
  const int fd = terminal_ ? sources_[0].fd.get() : in_.get();
  std::uint32_t taken = 0;
  bool deaf = fd < 0;
  while (!deaf && taken < input_.size()) {
    const ssize_t n = ::write(fd, input_.data() + taken, input_.size() - taken);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) deaf = true;
    else taken += static_cast<std::uint32_t>(n);
  }
  if (deaf) taken = static_cast<std::uint32_t>(input_.size());
  input_.erase(0, taken);
  if (taken > 0) {
    input_granted_ += taken;
    say(guest_frame_kind::wanted, encode(guest_grant{0, taken}));
  }
  if (input_ends_ && input_.empty() && !deaf) {
    input_ends_ = false;
    // A terminal's input has no end but the character that says so.
    const char end_of_input = 4;
    if (terminal_) (void)!::write(fd, &end_of_input, 1);
    else deaf = true;
  }
  if (deaf && in_) {
    loop_.forget(in_.get());
    in_.reset();
    say(guest_frame_kind::deaf, {});
  }
  input_watched_ = !input_.empty();
  if (in_) loop_.change(in_.get(), input_watched_ ? std::uint32_t{EPOLLOUT} : 0);
  else watch_sources();
  flush();
}

void connection::read_source(source& from) {
  // The frame's header goes before what is read, so that nothing is copied where the host keeps up.
  char buffer[guest_header_size + most_in_a_frame];
  for (int round = 0; round < 8 && from.fd && from.may_send > 0 && unsent_.size() < most_unsent; ++round) {
    const std::size_t most = std::min<std::size_t>(most_in_a_frame, from.may_send);
    const ssize_t n = ::read(from.fd.get(), buffer + guest_header_size, most);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {  // a terminal's end is EIO
      end_source(from);
      break;
    }
    from.may_send -= static_cast<std::uint32_t>(n);
    std::string header;
    append_guest_frame(header, from.kind, {});
    std::copy(header.begin(), header.end(), buffer);
    for (int i = 0; i < 4; ++i) buffer[i] = static_cast<char>(static_cast<std::size_t>(n) >> (8 * i));
    std::string_view whole(buffer, guest_header_size + static_cast<std::size_t>(n));
    if (unsent_.empty()) {
      const ssize_t sent = ::send(socket_.get(), whole.data(), whole.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) whole.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return close();
    }
    unsent_ += whole;
    if (static_cast<std::size_t>(n) < most) break;  // most often nothing is left
  }
  watch_sources();
  flush();
}

void connection::end_source(source& from) {
  loop_.forget(from.fd.get());
  from.fd.reset();
  tell_drained();
}

void connection::watch_sources() {
  for (source& from : sources_) {
    if (!from.fd) continue;
    std::uint32_t events = from.may_send > 0 && unsent_.size() < most_unsent ? std::uint32_t{EPOLLIN} : 0;
    if (terminal_ && !input_.empty()) events |= EPOLLOUT;
    loop_.change(from.fd.get(), events);
  }
}

void connection::on_exit(int status) {
  exited_ = true;
  // What it has written is in its pipes, and comes before the news of its end: what comes later is its children's.
  for (source& from : sources_) {
    for (std::uint32_t before = 0; from.fd && from.may_send != before;) {
      before = from.may_send;
      read_source(from);
      if (closed_) return;
    }
  }
  guest_exited how;
  if (WIFSIGNALED(status)) how.signal = static_cast<std::uint32_t>(WTERMSIG(status));
  else how.code = static_cast<std::uint32_t>(WEXITSTATUS(status));
  say(guest_frame_kind::exited, encode(how));
  told_of_exit_ = true;
  tell_drained();
  flush();
}

void connection::tell_drained() {
  if (drained_ || !told_of_exit_ || sources_[0].fd || sources_[1].fd) return;
  drained_ = true;
  say(guest_frame_kind::drained, {});
}

void connection::tell_daemon_news(std::string_view news, bool last) {
  if (closed_ || ending_ || (!last && unsent_.size() > most_unsent)) return;
  say(guest_frame_kind::daemon_news, news);
  ending_ = last;
  flush();
}

void connection::tell_retreating() {
  if (closed_ || ending_) return;
  say(guest_frame_kind::retreating, {});
  ending_ = true;
  flush();
}

void connection::tell_idle(guest_rest how_long) {
  say(guest_frame_kind::idle_for, encode(how_long));
  flush();
}

void connection::say(guest_frame_kind kind, std::string_view payload) {
  if (!closed_) append_guest_frame(unsent_, kind, payload);
}

void connection::flush() {
  if (closed_) return;
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const ssize_t n = ::send(socket_.get(), unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return close();
    sent += static_cast<std::size_t>(n);
  }
  unsent_.erase(0, sent);
  if (ending_ && unsent_.empty()) return close();
  loop_.change(socket_.get(), unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
  if (pid_ > 0) watch_sources();
}

void connection::refuse(std::string message, int err) {
  say(guest_frame_kind::refused, encode(guest_refused{0, static_cast<std::uint32_t>(err), std::move(message)}));
  ending_ = true;
  flush();
}

void connection::close() {
  if (closed_) return;
  closed_ = true;
  // Whoever gives a command up ends it, with its group. A command that has ended leaves its group alone: a daemon that it
  // started may be in there.
  if (pid_ > 0 && !exited_) (void)::kill(-pid_, SIGKILL);
  for (source& from : sources_) {
    if (from.fd) loop_.forget(from.fd.get());
    from.fd.reset();
  }
  if (in_) loop_.forget(in_.get());
  in_.reset();
  loop_.forget(socket_.get());
  socket_.reset();
  if (tell_.gone) tell_.gone(*this);
}

}  // namespace berth::guest
