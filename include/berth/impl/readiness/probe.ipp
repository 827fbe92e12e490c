// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/readiness/guarded_socket.ipp>
#include <berth/readiness/guarded_socket.hpp>
#include <berth/readiness/http_response.hpp>
#include <berth/readiness/probe.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace berth {

namespace detail {

inline probe_outcome outcome_ready() { return {probe_outcome::kind::ready, true, {}}; }

inline probe_outcome outcome_not_yet(error reason, bool connected = false) {
  return {probe_outcome::kind::not_yet, connected, std::move(reason)};
}

inline probe_outcome outcome_fatal(error reason, bool connected = false) {
  return {probe_outcome::kind::fatal, connected, std::move(reason)};
}

// Whether a failed connect or a broken conversation means "not yet". What is missing here is ours to mend, and no waiting
// helps: descriptors, memory, permission, a path that cannot be one.
inline bool may_pass(int err) {
  switch (err) {
    case ENOENT:
    case ECONNREFUSED:
    case EAGAIN:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL: return true;
    default: return false;
  }
}

inline probe_outcome outcome_of_error(error e, bool connected = false) {
  const bool waiting_helps = e.code != errc::hostile && may_pass(e.sys_errno);
  return waiting_helps ? outcome_not_yet(std::move(e), connected) : outcome_fatal(std::move(e), connected);
}

inline std::string address_text(const socket_address& a) {
  return a.unix_path.empty() ? a.host + ":" + std::to_string(a.port) : a.unix_path;
}

inline result<unique_fd> connect_at(const socket_address& a) {
  return a.guarded ? connect_guarded(a.unix_path) : connect_unix(a.unix_path);
}

// The address of a TCP peer, or nothing when it is not numeric.
inline std::optional<std::pair<sockaddr_storage, socklen_t>> tcp_address(const socket_address& a) {
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  if (::inet_pton(AF_INET, a.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(a.port);
    return std::pair(storage, static_cast<socklen_t>(sizeof *v4));
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET6, a.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(a.port);
    return std::pair(storage, static_cast<socklen_t>(sizeof *v6));
  }
  return std::nullopt;
}

// A connection and the timer that ends what is under way on it. Shared with the timer's handler, which may still be
// queued when the probe has its answer. Asio only waits here: its own sockets are not close-on-exec from birth.
struct probe_connection : std::enable_shared_from_this<probe_connection> {
  using descriptor = boost::asio::posix::stream_descriptor;

  explicit probe_connection(const boost::asio::any_io_executor& executor) : socket(executor), timer(executor) {}

  void end_by(time_point deadline) {
    timer.expires_at(deadline);
    timer.async_wait([self = weak_from_this()](boost::system::error_code ec) {
      auto here = self.lock();
      if (ec || !here) return;
      here->timed_out = true;
      boost::system::error_code ignored;
      here->socket.cancel(ignored);
    });
  }

  boost::system::error_code watch(unique_fd& fd) {
    boost::system::error_code ec;
    socket.assign(fd.get(), ec);
    if (!ec) (void)fd.release();
    return ec;
  }

  // Until the socket can be read or written, at most to the deadline.
  boost::asio::awaitable<boost::system::error_code> can(descriptor::wait_type what) {
    boost::system::error_code ec;
    // A cancellation that came while the last wait's answer was on its way has nothing left to abort.
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (timed_out || cancellation.cancelled() != boost::asio::cancellation_type::none)
      co_return boost::asio::error::operation_aborted;
    co_await socket.async_wait(what, boost::asio::redirect_error(boost::asio::use_awaitable, ec));
    co_return ec;
  }

  // What a failed operation means: our own deadline, the caller's cancellation, or what the system says.
  probe_outcome outcome(const boost::system::error_code& ec, const char* doing, const socket_address& where,
                        bool connected) const {
    if (timed_out) {
      return outcome_not_yet(
          make_error(errc::timeout, "readiness", std::string(doing) + ": no answer in time", address_text(where)),
          connected);
    }
    if (ec == boost::asio::error::operation_aborted) {
      return outcome_not_yet(
          make_error(errc::cancelled, "readiness", std::string(doing) + ": cancelled", address_text(where)), connected);
    }
    return outcome_of_error(errno_error(ec.value(), "readiness", doing, address_text(where)), connected);
  }

  descriptor socket;
  boost::asio::steady_timer timer;
  bool timed_out = false;
};

inline boost::system::error_code last_system_error(int err = errno) { return {err, boost::system::system_category()}; }

// Connects `c`; nothing when it did, else the outcome.
inline boost::asio::awaitable<std::optional<probe_outcome>> connect_tcp(std::shared_ptr<probe_connection> c,
                                                                        const socket_address& where) {
  const auto address = tcp_address(where);
  if (!address) {
    co_return outcome_fatal(make_error(errc::invalid, "readiness", "not a numeric address", address_text(where)));
  }
  unique_fd fd(::socket(address->first.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) co_return outcome_of_error(connect_error(errno, address_text(where)));
  const int peer = fd.get();
  const auto* to = reinterpret_cast<const sockaddr*>(&address->first);
  if (::connect(peer, to, address->second) != 0 && errno != EINPROGRESS) {
    co_return outcome_of_error(connect_error(errno, address_text(where)));
  }
  auto ec = c->watch(fd);
  if (!ec) ec = co_await c->can(probe_connection::descriptor::wait_write);
  if (ec) co_return c->outcome(ec, "cannot connect", where, false);
  int failed = 0;
  socklen_t size = sizeof failed;
  ::getsockopt(peer, SOL_SOCKET, SO_ERROR, &failed, &size);
  if (failed != 0) co_return outcome_of_error(connect_error(failed, address_text(where)));
  // Where nobody listens on a port of the ephemeral range, the kernel may have given us that port to call from: TCP then
  // connects the socket to itself.
  sockaddr_storage mine{}, theirs{};
  socklen_t mine_size = sizeof mine, theirs_size = sizeof theirs;
  if (::getsockname(peer, reinterpret_cast<sockaddr*>(&mine), &mine_size) == 0 &&
      ::getpeername(peer, reinterpret_cast<sockaddr*>(&theirs), &theirs_size) == 0 && mine_size == theirs_size &&
      std::memcmp(&mine, &theirs, mine_size) == 0) {
    co_return outcome_of_error(connect_error(ECONNREFUSED, address_text(where)));
  }
  co_return std::nullopt;
}

class connect_probe final : public probe {
 public:
  explicit connect_probe(socket_address where) : where_(std::move(where)) {}

  boost::asio::awaitable<probe_outcome> ask(time_point deadline) override {
    if (!where_.unix_path.empty()) return ask_unix();
    return ask_tcp(deadline);
  }

 private:
  // Nothing to wait for, so nothing is given to the loop to watch.
  boost::asio::awaitable<probe_outcome> ask_unix() {
    auto fd = connect_at(where_);
    if (!fd) co_return outcome_of_error(fd.error());
    co_return outcome_ready();
  }

  boost::asio::awaitable<probe_outcome> ask_tcp(time_point deadline) {
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    auto executor = co_await boost::asio::this_coro::executor;
    auto connection = std::make_shared<probe_connection>(executor);
    connection->end_by(deadline);
    auto failed = co_await connect_tcp(connection, where_);
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    if (failed) co_return std::move(*failed);
    co_return outcome_ready();
  }

  socket_address where_;
};

class http_probe final : public probe {
 public:
  http_probe(socket_address where, const std::string& target, std::function<bool(std::string_view)> accept)
      : where_(std::move(where)),
        request_("GET " + target +
                 " HTTP/1.1\r\nHost: " + (where_.unix_path.empty() ? address_text(where_) : std::string("localhost")) +
                 "\r\nConnection: close\r\n\r\n"),
        accept_(std::move(accept)),
        target_(target) {}

  boost::asio::awaitable<probe_outcome> ask(time_point deadline) override {
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    auto executor = co_await boost::asio::this_coro::executor;
    auto connection = std::make_shared<probe_connection>(executor);
    connection->end_by(deadline);
    std::optional<probe_outcome> outcome;
    std::size_t sent = 0;
    if (where_.unix_path.empty()) {
      outcome = co_await connect_tcp(connection, where_);
    } else {
      outcome = connect_unix_and_send(*connection, sent);
    }
    if (!outcome) outcome = co_await converse(connection, sent);
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return std::move(*outcome);
  }

 private:
  // Nothing here has to be waited for, and the request goes out before the loop is troubled.
  std::optional<probe_outcome> connect_unix_and_send(probe_connection& c, std::size_t& sent) {
    auto fd = connect_at(where_);
    if (!fd) return outcome_of_error(fd.error());
    const ssize_t n = ::send(fd->get(), request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sent = static_cast<std::size_t>(n);
    if (auto ec = c.watch(*fd)) return c.outcome(ec, "cannot watch the socket", where_, true);
    return std::nullopt;
  }

  boost::asio::awaitable<std::optional<probe_outcome>> converse(std::shared_ptr<probe_connection> c, std::size_t sent) {
    using progress = http_response_reader::progress;
    const int fd = c->socket.native_handle();
    while (sent < request_.size()) {
      const ssize_t n = ::send(fd, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) {
        sent += static_cast<std::size_t>(n);
        continue;
      }
      if (errno == EINTR) continue;
      auto ec = last_system_error();
      if (ec.value() == EAGAIN) ec = co_await c->can(probe_connection::descriptor::wait_write);
      if (ec) co_return c->outcome(ec, "cannot send the request", where_, true);
    }

    http_response_reader reader(accept_ != nullptr);
    auto state = progress::more;
    std::string piece(4096, '\0');
    while (state == progress::more) {
      const auto ec = co_await c->can(probe_connection::descriptor::wait_read);
      if (ec) co_return c->outcome(ec, "cannot read the answer", where_, true);
      const ssize_t n = ::recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
      if (n > 0) state = reader.append(std::string_view(piece).substr(0, static_cast<std::size_t>(n)));
      else if (n == 0) state = reader.finish();
      else if (errno != EAGAIN && errno != EINTR) {
        co_return c->outcome(last_system_error(), "cannot read the answer", where_, true);
      }
    }
    co_return judge(state, reader);
  }

  probe_outcome judge(http_response_reader::progress state, const http_response_reader& reader) const {
    using progress = http_response_reader::progress;
    const auto not_yet = [&](errc code, std::string message) {
      return outcome_not_yet(make_error(code, "readiness", "GET " + target_ + ": " + message, address_text(where_)),
                             true);
    };
    if (state == progress::too_big) return not_yet(errc::too_big, "the answer is longer than 64 KiB");
    if (state == progress::malformed && reader.status() == 0) return not_yet(errc::again, "not an HTTP answer");
    if (reader.status() != 200) return not_yet(errc::again, "status " + std::to_string(reader.status()));
    if (state == progress::malformed) return not_yet(errc::again, "the answer breaks off");
    if (accept_ && !accept_(reader.body())) return not_yet(errc::again, "status 200, but not the wanted answer");
    return outcome_ready();
  }

  socket_address where_;
  std::string request_;
  std::function<bool(std::string_view)> accept_;
  std::string target_;
};

class command_probe final : public probe {
 public:
  command_probe(executor& where, command what) : where_(where), what_(std::move(what)) {}

  boost::asio::awaitable<probe_outcome> ask(time_point deadline) override {
    command what = what_;
    stdio_options io;
    io.capture_limit = 4096;
    auto ran = co_await run_command(where_, std::move(what), std::move(io), deadline);
    const std::string name = what_.argv.empty() ? std::string() : what_.argv[0];
    if (!ran) {
      error e = ran.error();
      const bool waiting_helps = e.code == errc::timeout || e.code == errc::again || e.code == errc::cancelled;
      co_return waiting_helps ? outcome_not_yet(std::move(e)) : outcome_fatal(std::move(e));
    }
    if (ran->status.success()) co_return outcome_ready();
    error e = make_error(errc::again, "readiness", "the command ended with " + ran->status.to_string(), name);
    e.detail = ran->err.empty() ? std::move(ran->out) : std::move(ran->err);
    co_return outcome_not_yet(std::move(e));
  }

 private:
  executor& where_;
  command what_;
};

}  // namespace detail

BERTH_DECL std::unique_ptr<probe> make_connect_probe(socket_address where) {
  return std::make_unique<detail::connect_probe>(std::move(where));
}

BERTH_DECL std::unique_ptr<probe> make_http_probe(socket_address where, std::string target,
                                                  std::function<bool(std::string_view)> accept) {
  return std::make_unique<detail::http_probe>(std::move(where), target, std::move(accept));
}

BERTH_DECL std::unique_ptr<probe> make_command_probe(executor& where, command what) {
  return std::make_unique<detail::command_probe>(where, std::move(what));
}

}  // namespace berth
