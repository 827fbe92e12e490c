// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/readiness/notify.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace berth {

BERTH_DECL notify_message parse_notify(std::string_view datagram) {
  notify_message m;
  while (!datagram.empty()) {
    const auto newline = datagram.find('\n');
    const auto line = datagram.substr(0, newline);
    datagram.remove_prefix(newline == std::string_view::npos ? datagram.size() : newline + 1);
    if (line == "READY=1") m.ready = true;
    else if (line == "STOPPING=1") m.stopping = true;
    else if (line.substr(0, 7) == "STATUS=") m.status = line.substr(7);
  }
  return m;
}

struct notify_socket::state : std::enable_shared_from_this<notify_socket::state> {
  state(const boost::asio::any_io_executor& executor, std::string where)
      : socket(executor), arrived(executor), path(std::move(where)) {}
  ~state() { ::unlink(path.c_str()); }

  void watch() {
    socket.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = weak_from_this()](boost::system::error_code ec) {
                        auto s = self.lock();
                        if (!ec && s && s->socket.is_open()) s->receive();
                      });
  }

  // Plain recv: descriptors that come along (FDSTORE=1) are not taken, so the kernel closes them.
  void receive() {
    char buffer[4096];
    for (int i = 0; i < 16; ++i) {
      const ssize_t n = ::recv(socket.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) break;
      auto m = parse_notify(std::string_view(buffer, static_cast<std::size_t>(n)));
      if (!m.status.empty()) status = std::move(m.status);
      if (m.ready) {
        is_ready = true;
        arrived.cancel();
      }
    }
    watch();
  }

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
    closed = true;
    arrived.cancel();
  }

  // One wait at a time holds the timer.
  static boost::asio::awaitable<result<void>> wait(std::shared_ptr<state> s, time_point deadline) {
    if (!s) co_return make_error(errc::closed, "readiness", "the socket was closed");
    if (s->waited_for)
      co_return make_error(errc::state, "readiness", "somebody waits for this socket already", s->path);
    s->waited_for = true;
    const std::shared_ptr<void> at_end(nullptr, [s](void*) { s->waited_for = false; });
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    const bool cancelled = cancellation.cancelled() != boost::asio::cancellation_type::none;
    result<void> outcome;
    if (cancelled && !s->is_ready) {
      outcome = make_error(errc::cancelled, "readiness", "waiting for READY=1 was cancelled", s->path);
    } else if (!s->is_ready && !s->closed) {
      s->arrived.expires_at(deadline);
      boost::system::error_code ec;
      co_await s->arrived.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
      if (!s->is_ready && !s->closed) {
        const bool timed_out = ec != boost::asio::error::operation_aborted;
        error e = timed_out ? make_error(errc::timeout, "readiness", "READY=1 has not come", s->path)
                            : make_error(errc::cancelled, "readiness", "waiting for READY=1 was cancelled", s->path);
        e.detail = s->status;
        outcome = std::move(e);
      }
    }
    if (!s->is_ready && s->closed) outcome = make_error(errc::closed, "readiness", "the socket was closed", s->path);
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return outcome;
  }

  boost::asio::posix::stream_descriptor socket;
  boost::asio::steady_timer arrived;
  std::string path;
  std::string status;
  bool is_ready = false;
  bool waited_for = false;
  bool closed = false;
};

BERTH_DECL result<notify_socket> notify_socket::bind(boost::asio::any_io_executor executor, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path[0] != '/' || path.find('\0') != std::string::npos) {
    return make_error(errc::invalid, "readiness", "the path of a notify socket must be absolute", path.c_str());
  }
  if (path.size() >= sizeof address.sun_path) {
    return make_error(errc::too_big, "readiness", "the path of a notify socket is longer than 107 bytes", path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  unique_fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno_error(errno, "readiness", "cannot make a notify socket", path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error e = errno_error(errno, "readiness", "cannot bind the notify socket", path);
    if (e.sys_errno == EADDRINUSE) e.code = errc::exists;
    return e;
  }
  auto s = std::make_shared<state>(executor, path);  // from here on the path is removed with it
  boost::system::error_code ec;
  s->socket.assign(fd.get(), ec);
  if (ec) return errno_error(ec.value(), "readiness", "cannot watch the notify socket", path);
  (void)fd.release();
  s->watch();
  return notify_socket(std::move(s));
}

BERTH_DECL notify_socket::notify_socket(notify_socket&&) noexcept = default;

BERTH_DECL notify_socket& notify_socket::operator=(notify_socket&& other) noexcept {
  if (this != &other) {
    if (state_) state_->close();
    state_ = std::move(other.state_);
  }
  return *this;
}

BERTH_DECL notify_socket::~notify_socket() {
  if (state_) state_->close();
}

BERTH_DECL std::string notify_socket::environment() const {
  return "NOTIFY_SOCKET=" + (state_ ? state_->path : std::string());
}

BERTH_DECL boost::asio::awaitable<result<void>> notify_socket::ready(time_point deadline) {
  return state::wait(state_, deadline);
}

namespace detail {

class notify_probe final : public probe {
 public:
  explicit notify_probe(notify_socket& socket) : socket_(socket) {}

  boost::asio::awaitable<probe_outcome> ask(time_point deadline) override {
    auto said = co_await socket_.ready(deadline);
    probe_outcome outcome;
    if (said) {
      outcome.what = probe_outcome::kind::ready;
      outcome.connected = true;
    } else {
      outcome.what = said.error().code == errc::closed ? probe_outcome::kind::fatal : probe_outcome::kind::not_yet;
      outcome.reason = std::move(said).error();
    }
    co_return outcome;
  }

 private:
  notify_socket& socket_;
};

}  // namespace detail

BERTH_DECL std::unique_ptr<probe> make_notify_probe(notify_socket& socket) {
  return std::make_unique<detail::notify_probe>(socket);
}

}  // namespace berth
