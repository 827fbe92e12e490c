// SPDX-License-Identifier: Apache-2.0
// Real peers for the probes: a thread that serves a socket.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

namespace berth::test {

inline void send_all(int fd, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

inline unique_fd listen_unix(const std::string& path, int backlog = 64) {
  unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, path.c_str(), sizeof a.sun_path - 1);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0 || ::listen(fd.get(), backlog) != 0) {
    std::abort();
  }
  return fd;
}

inline unique_fd listen_tcp(std::uint16_t& port) {
  unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a), size) != 0 || ::listen(fd.get(), 64) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&a), &size) != 0) {
    std::abort();
  }
  port = ntohs(a.sin_port);
  return fd;
}

/// Reads a request up to its blank line, then does what it is told with the connection.
class server {
 public:
  using talk = std::function<void(int connection, const std::string& request)>;

  server(unique_fd listener, talk what) : listener_(std::move(listener)), what_(std::move(what)) {
    thread_ = std::thread([this] {
      while (true) {
        unique_fd c(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!c) return;
        ++connections;
        std::string request;
        char buffer[1024];
        while (request.find("\r\n\r\n") == std::string::npos) {
          const ssize_t n = ::read(c.get(), buffer, sizeof buffer);
          if (n <= 0) break;
          request.append(buffer, static_cast<std::size_t>(n));
        }
        what_(c.get(), request);
      }
    });
  }
  ~server() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept
    thread_.join();
  }

  std::atomic<int> connections{0};

 private:
  unique_fd listener_;
  talk what_;
  std::thread thread_;
};

inline server::talk answering(std::string bytes) {
  return [bytes = std::move(bytes)](int c, const std::string&) { send_all(c, bytes); };
}

}  // namespace berth::test
