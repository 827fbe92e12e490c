// SPDX-License-Identifier: Apache-2.0
#include "relay.hpp"

#include "base/unix_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace berth::guest {
namespace {

constexpr std::size_t most_links = 1024;  // 128 MiB, were all of them full at once
constexpr std::size_t read_size = 64 * 1024;

// What goes one way: read from one end, kept until the other takes it.
class stream {
 public:
  bool wants_to_read() const { return !ended_ && size_ == 0; }
  bool wants_to_write() const { return size_ != 0; }
  /// All that came was handed on, the end as well.
  bool over() const { return told_; }

  /// False where the connection is broken.
  bool read(int from) {
    if (!wants_to_read()) return true;
    if (bytes_.empty()) bytes_.resize(read_size);
    const ssize_t n = ::recv(from, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    ended_ = n == 0;
    at_ = 0;
    size_ = static_cast<std::size_t>(n);
    moved_ = moved_ || n > 0;
    return true;
  }
  /// Whether something was read since this was asked last.
  bool moved() { return std::exchange(moved_, false); }
  bool write(int to) {
    while (size_ != 0) {
      const ssize_t n = ::send(to, bytes_.data() + at_, size_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN || errno == EINTR;
      at_ += static_cast<std::size_t>(n);
      size_ -= static_cast<std::size_t>(n);
    }
    // Half a close is news to dockerd: an attached container's standard input ends by it.
    if (ended_ && !told_) {
      told_ = true;
      ::shutdown(to, SHUT_WR);
    }
    return true;
  }

 private:
  std::vector<char> bytes_;  // once something came
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  bool ended_ = false;
  bool told_ = false;
  bool moved_ = false;
};

}  // namespace

class relay::link : public std::enable_shared_from_this<relay::link> {
 public:
  link(relay& owner, unique_fd client, unique_fd server)
      : owner_(owner), client_(std::move(client)), server_(std::move(server)) {}
  ~link() { close(); }

  /// A client's connection is kept for its next question: one that has its answer is not in use.
  bool awaits_answer() const { return awaits_answer_; }

  void begin() {
    const std::weak_ptr<link> weak = weak_from_this();
    const auto step = [weak](std::uint32_t) {
      if (const auto self = weak.lock()) self->step();
    };
    if (!owner_.loop_.watch(client_.get(), EPOLLIN, step) || !owner_.loop_.watch(server_.get(), EPOLLIN, step)) end();
  }

 private:
  void step() {
    if (!client_) return;
    const int client = client_.get(), server = server_.get();
    if (!up_.read(client) || !up_.write(server) || !down_.read(server) || !down_.write(client)) return end();
    const bool asked = up_.moved(), answered = down_.moved();
    if (asked || answered) {
      awaits_answer_ = !answered;
      owner_.last_use_ = std::chrono::steady_clock::now();
    }
    if (up_.over() && down_.over()) return end();
    change(client, up_, down_);
    change(server, down_, up_);
  }

  // One that wants nothing is left out of epoll, which would report a hang-up without end.
  void change(int fd, const stream& from_it, const stream& to_it) {
    std::uint32_t events = 0;
    if (from_it.wants_to_read()) events |= EPOLLIN;
    if (to_it.wants_to_write()) events |= EPOLLOUT;
    owner_.loop_.change(fd, events);
  }

  void close() {
    for (unique_fd* fd : {&client_, &server_}) {
      if (*fd) owner_.loop_.forget(fd->get());
      fd->reset();
    }
  }

  void end() {
    const auto held = shared_from_this();
    close();
    owner_.last_use_ = std::chrono::steady_clock::now();
    owner_.links_.erase(this);
  }

  relay& owner_;
  unique_fd client_, server_;
  stream up_, down_;
  bool awaits_answer_ = false;
};

bool relay::listen() {
  if (listener_) return true;
  listener_ = listen_at(from_, 0660);
  if (!listener_) return false;
  if (loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_from(listener_.get()); })) return true;
  listener_.reset();
  return false;
}

void relay::stop_listening() {
  if (!listener_) return;
  loop_.forget(listener_.get());
  listener_.reset();
  ::unlink(from_.c_str());
}

void relay::close() {
  stop_listening();
  links_.clear();
}

bool relay::in_use() const {
  return std::any_of(links_.begin(), links_.end(), [](const auto& one) { return one.second->awaits_answer(); });
}

void relay::accept_from(int listener) {
  last_use_ = std::chrono::steady_clock::now();
  for (int i = 0; i < 32; ++i) {
    unique_fd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    if (links_.size() >= most_links) continue;
    unique_fd server = connect_();
    if (!server) continue;  // who connected sees the end of it
    const auto made = std::make_shared<link>(*this, std::move(client), std::move(server));
    links_[made.get()] = made;
    made->begin();
  }
}

}  // namespace berth::guest
