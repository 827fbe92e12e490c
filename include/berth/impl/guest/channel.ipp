// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/guest/channel.hpp>
#include <berth/guest/conversation.hpp>
#include <berth/guest/detail/connect.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/readiness/guarded_socket.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <utility>

namespace berth {

struct guest_channel::state {
  using descriptor = boost::asio::posix::stream_descriptor;
  explicit state(const boost::asio::any_io_executor& loop) : socket(loop) {}

  // Errors: cancelled, io.
  static boost::asio::awaitable<result<void>> ready_for(std::shared_ptr<state> self, descriptor::wait_type what) {
    const auto given_up = [] {
      return make_error(errc::cancelled, "guest", "waiting for the sandbox's guest was cancelled");
    };
    // A cancellation that came while the last wait's answer was on its way has nothing left to abort.
    const bool cancelled = co_await was_cancelled();
    if (cancelled) co_return given_up();
    boost::system::error_code failed;
    co_await self->socket.async_wait(what, boost::asio::redirect_error(boost::asio::use_awaitable, failed));
    if (!failed) co_return result<void>();
    if (failed == boost::asio::error::operation_aborted) co_return given_up();
    co_return errno_error(failed.value(), "guest", "cannot wait for the sandbox's guest");
  }

  static boost::asio::awaitable<result<void>> send(std::shared_ptr<state> self, std::string bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n =
          ::send(self->socket.native_handle(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) {
        done += static_cast<std::size_t>(n);
      } else if (errno == EAGAIN) {
        auto waiting = ready_for(self, descriptor::wait_write);
        auto waited = co_await std::move(waiting);
        if (!waited) co_return waited;
      } else if (errno != EINTR) {
        co_return errno_error(errno, "guest", "the connection to the sandbox's guest broke");
      }
    }
    co_return result<void>();
  }

  static boost::asio::awaitable<result<message>> next(std::shared_ptr<state> self) {
    for (;;) {
      auto frame = self->reader.next();
      if (!frame) co_return std::move(frame).error();
      if (*frame) co_return message{(*frame)->kind, std::string((*frame)->payload)};
      char buffer[16 * 1024];
      const ssize_t n = ::recv(self->socket.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) {
        self->reader.append({buffer, static_cast<std::size_t>(n)});
      } else if (n == 0) {
        co_return make_error(errc::sandbox_not_running, "guest", "the sandbox's guest went away", {},
                             "the sandbox may have ended");
      } else if (errno == EAGAIN) {
        auto waiting = ready_for(self, descriptor::wait_read);
        auto waited = co_await std::move(waiting);
        if (!waited) co_return std::move(waited).error();
      } else if (errno != EINTR) {
        co_return errno_error(errno, "guest", "the connection to the sandbox's guest broke");
      }
    }
  }

  descriptor socket;
  guest_frame_reader reader{guest_frame_limit};
};

namespace detail {

inline error no_guest_channel() { return make_error(errc::closed, "guest", "there is no connection to a guest"); }

inline error guest_silent(error e) {
  if (e.code == errc::timeout) e.message = "the sandbox's guest did not answer in time";
  return e;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<guest_channel>> guest_channel::open(std::string path, time_point deadline) {
  std::function<result<unique_fd>()> connect = [path = std::move(path)] { return connect_guarded(path); };
  auto connecting = detail::connect_to_guest(std::move(connect), deadline);
  auto socket = co_await std::move(connecting);
  if (!socket) co_return std::move(socket).error();
  const auto loop = co_await boost::asio::this_coro::executor;
  auto adopted = adopt(loop, std::move(*socket));
  if (!adopted) co_return std::move(adopted).error();
  guest_channel channel = std::move(*adopted);
  std::string hello = encode(guest_hello{guest_protocol_version, BERTH_VERSION_STRING});
  auto saying = channel.send(guest_frame_kind::hello, std::move(hello), deadline);
  auto said = co_await std::move(saying);
  if (!said) co_return std::move(said).error();
  auto asking = channel.next(deadline);
  auto greeting = co_await std::move(asking);
  if (!greeting) co_return std::move(greeting).error();
  guest_conversation judge;
  auto judged = judge.take(guest_frame{greeting->kind, greeting->payload});
  if (!judged) co_return std::move(judged).error();
  co_return channel;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_channel::send(guest_frame_kind kind, std::string payload,
                                                                    time_point deadline) {
  if (!state_) co_return detail::no_guest_channel();
  if (payload.size() > guest_request_limit)
    co_return make_error(errc::too_big, "guest",
                         "a request of " + std::to_string(payload.size()) + " bytes, and " +
                             std::to_string(guest_request_limit) + " are the most");
  std::string bytes;
  append_guest_frame(bytes, kind, payload);
  auto work = state::send(state_, std::move(bytes));
  auto outcome = co_await until_deadline(std::move(work), deadline);
  if (!outcome) co_return detail::guest_silent(std::move(outcome).error());
  co_return outcome;
}

BERTH_DECL boost::asio::awaitable<result<void>> guest_channel::hang_up(time_point deadline) {
  if (!state_) co_return detail::no_guest_channel();
  ::shutdown(state_->socket.native_handle(), SHUT_WR);
  for (;;) {
    auto waiting = next(deadline);
    auto came = co_await std::move(waiting);
    if (came) continue;
    if (came.error().code == errc::sandbox_not_running) co_return result<void>();
    co_return std::move(came).error();
  }
}

BERTH_DECL unique_fd guest_channel::release() {
  const auto held = std::exchange(state_, nullptr);
  if (!held || held->reader.buffered() != 0) return {};
  return unique_fd(held->socket.release());
}

BERTH_DECL result<guest_channel> guest_channel::adopt(const boost::asio::any_io_executor& loop, unique_fd socket) {
  auto made = std::make_shared<state>(loop);
  boost::system::error_code failed;
  made->socket.assign(socket.get(), failed);
  if (failed) return errno_error(failed.value(), "guest", "cannot watch the connection to the guest");
  (void)socket.release();
  return guest_channel(std::move(made));
}

BERTH_DECL bool guest_channel::has_input() const {
  if (!state_) return false;
  pollfd ready{state_->socket.native_handle(), POLLIN, 0};
  return ::poll(&ready, 1, 0) > 0;
}

BERTH_DECL boost::asio::awaitable<result<guest_channel::message>> guest_channel::next(time_point deadline) {
  if (!state_) co_return detail::no_guest_channel();
  auto work = state::next(state_);
  auto outcome = co_await until_deadline(std::move(work), deadline);
  if (!outcome) co_return detail::guest_silent(std::move(outcome).error());
  co_return outcome;
}

}  // namespace berth
