// SPDX-License-Identifier: Apache-2.0
#include "name_client.hpp"

#include "dns_message.hpp"
#include "name_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth::guest {
namespace {

constexpr auto client_patience = seconds(10);
constexpr std::size_t longest_question = 1024;

}  // namespace

name_client::name_client(event_loop& loop, std::weak_ptr<name_server> server, unique_fd socket)
    : loop_(loop), server_(std::move(server)), socket_(std::move(socket)), deadline_(clock::now() + client_patience) {}

bool name_client::start() {
  const auto self = shared_from_this();
  return loop_.watch(socket_.get(), EPOLLIN, [self](std::uint32_t) { self->talk(); });
}

void name_client::stop() {
  if (socket_) loop_.forget(socket_.get());
  socket_.reset();
}

void name_client::end() {
  const auto self = shared_from_this();
  stop();
  if (const auto server = server_.lock()) server->leave(self);
}

void name_client::talk() {
  if (!socket_) return;
  if (!out_.empty()) {
    const ssize_t n = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return end();
    if (n > 0) out_.erase(0, static_cast<std::size_t>(n));
  }
  // Nothing is read while there is something to be done: what comes meanwhile is the connection's to hold.
  if (out_.empty() && !waits_ && !deaf_) {
    char buffer[longest_question + 2];
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer - std::min(in_.size(), sizeof buffer - 1), 0);
    if (n == 0) deaf_ = true;
    else if (n < 0 && errno != EAGAIN && errno != EINTR) return end();
    if (n > 0) in_.append(buffer, static_cast<std::size_t>(n));
  }
  next();
}

void name_client::next() {
  if (!socket_) return;
  if (out_.empty() && !waits_ && in_.size() >= 2) {
    const std::size_t length =
        static_cast<std::size_t>(static_cast<std::uint8_t>(in_[0]) << 8 | static_cast<std::uint8_t>(in_[1]));
    if (length > longest_question) return end();
    if (in_.size() >= 2 + length) {
      const std::string question = in_.substr(2, length);
      in_.erase(0, 2 + length);
      waits_ = true;
      deadline_ = clock::now() + client_patience;
      const auto server = server_.lock();
      if (!server) return end();
      server->ask(question, [weak = weak_from_this()](std::string answer) {
        const auto self = weak.lock();
        if (!self) return;
        self->waits_ = false;
        if (answer.empty() || answer.size() > 0xffff) return self->end();
        self->out_ =
            std::string{static_cast<char>(answer.size() >> 8), static_cast<char>(answer.size() & 255)} + answer;
        self->talk();
      });
    }
  }
  if (!socket_) return;
  if (deaf_ && out_.empty() && !waits_) return end();
  const bool listens = !waits_ && !deaf_;
  loop_.change(socket_.get(), static_cast<std::uint32_t>(!out_.empty() ? EPOLLOUT
                                                         : listens     ? EPOLLIN
                                                                       : EPOLL_EVENTS()));
}

}  // namespace berth::guest
