// SPDX-License-Identifier: Apache-2.0
#include "unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace berth::guest {
namespace {

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

unique_fd make_socket() { return unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

}  // namespace

unique_fd listen_at(const std::string& path, mode_t mode) {
  const auto address = address_of(path);
  if (!address) return {};
  unique_fd socket = make_socket();
  if (!socket) return {};
  ::unlink(path.c_str());
  const mode_t before = ::umask(0777 & ~mode);
  const bool bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
  ::umask(before);
  if (bound && ::listen(socket.get(), 128) == 0) return socket;
  const int err = errno;
  socket.reset();
  errno = err;
  return {};
}

unique_fd connect_to(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return {};
  unique_fd socket = make_socket();
  if (socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0)
    return socket;
  return {};
}

}  // namespace berth::guest
