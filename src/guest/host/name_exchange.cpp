// SPDX-License-Identifier: Apache-2.0
#include "name_exchange.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace berth::guest {
namespace {

constexpr auto datagram_patience = milliseconds(1500);
constexpr auto stream_patience = seconds(3);
constexpr std::size_t most_attempts = 4;  // a resolver inside waits for 5 s, twice

sockaddr_in place_of(std::uint32_t server) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(53);
  place.sin_addr.s_addr = htonl(server);
  return place;
}

bool is_settled(dns_code code) { return code == dns_code::no_error || code == dns_code::no_such_name; }

}  // namespace

name_exchange::name_exchange(event_loop& loop, std::vector<std::uint32_t> servers, dns_question question, handler done)
    : loop_(loop), servers_(std::move(servers)), question_(std::move(question)), done_(std::move(done)) {}

void name_exchange::attempt() {
  while (attempts_ < most_attempts && !servers_.empty()) {
    ++attempts_;
    begin(SOCK_DGRAM);
    if (socket_) return;
  }
  finish(std::move(last_));
}

// A socket of its own for each question: its port, which the kernel chooses at random, and the id are what an answer that
// somebody else sends has to guess.
void name_exchange::begin(int kind) {
  close();
  const sockaddr_in server = place_of(servers_[(attempts_ - 1) % servers_.size()]);
  unique_fd made(::socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made || ::getrandom(&id_, sizeof id_, 0) != sizeof id_) return;
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0 && errno != EINPROGRESS)
    return;
  const std::string question = write_question(question_, id_);
  const bool stream = kind == SOCK_STREAM;
  if (stream) {
    out_ = std::string{static_cast<char>(question.size() >> 8), static_cast<char>(question.size() & 255)} + question;
    in_.clear();
  } else if (::send(made.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) {
    return;
  }
  const auto self = shared_from_this();
  const auto ready = [self, stream](std::uint32_t events) { stream ? self->talk(events) : self->receive(); };
  if (!loop_.watch(made.get(), stream ? EPOLLIN | EPOLLOUT : EPOLLIN, ready)) return;
  socket_ = std::move(made);
  deadline_ = clock::now() + (stream ? milliseconds(stream_patience) : datagram_patience);
}

void name_exchange::receive() {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return attempt();  // nobody listens there
    const std::string_view answer(buffer, static_cast<std::size_t>(n));
    if (!answers(answer, question_, id_)) continue;
    if (is_truncated(answer)) {
      begin(SOCK_STREAM);
      if (!socket_) attempt();
      return;
    }
    return take(std::string(answer));
  }
}

void name_exchange::talk(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !out_.empty()) {
    const ssize_t n = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return attempt();
    if (n > 0) out_.erase(0, static_cast<std::size_t>(n));
    if (out_.empty()) loop_.change(socket_.get(), EPOLLIN);
  }
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return attempt();
    in_.append(buffer, static_cast<std::size_t>(n));
    if (in_.size() < 2) continue;
    const std::size_t length =
        static_cast<std::size_t>(static_cast<std::uint8_t>(in_[0]) << 8 | static_cast<std::uint8_t>(in_[1]));
    if (in_.size() < 2 + length) continue;
    std::string answer = in_.substr(2, length);
    if (!answers(answer, question_, id_) || is_truncated(answer)) return attempt();
    return take(std::move(answer));
  }
}

void name_exchange::take(std::string answer) {
  if (is_settled(code_of(answer))) return finish(std::move(answer));
  last_ = std::move(answer);
  attempt();
}

void name_exchange::look_at_time(time_point now) {
  if (socket_ && now >= deadline_) attempt();
}

void name_exchange::close() {
  if (socket_) loop_.forget(socket_.get());
  socket_.reset();
}

void name_exchange::stop() {
  close();
  done_ = nullptr;
}

void name_exchange::finish(std::string answer) {
  close();
  if (const handler done = std::exchange(done_, nullptr)) done(std::move(answer));
}

}  // namespace berth::guest
