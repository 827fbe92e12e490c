// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/readiness/guarded_socket.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace berth {

namespace detail {

inline error connect_error(int err, const std::string& path) {
  error e = errno_error(err, "readiness", "cannot connect to the socket", path);
  if (err == ECONNREFUSED || err == EAGAIN) e.code = errc::again;
  if (err == EMFILE || err == ENFILE) e.hint = "out of descriptors: raise the limit (ulimit -n)";
  return e;
}

// `at` is what connect(2) is given, `path` what the error names.
inline result<unique_fd> connect_unix_at(const std::string& at, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (at.size() >= sizeof address.sun_path) return connect_error(ENAMETOOLONG, path);
  std::memcpy(address.sun_path, at.c_str(), at.size());
  unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return connect_error(errno, path);
  while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR) return connect_error(errno, path);
  }
  return fd;
}

inline result<unique_fd> connect_through(const unique_fd& entry, const std::string& path) {
  return connect_unix_at("/proc/self/fd/" + std::to_string(entry.get()), path);
}

inline bool is_no_path(const std::string& path) { return path.empty() || path.find('\0') != std::string::npos; }

}  // namespace detail

BERTH_DECL result<unique_fd> connect_unix(const std::string& path) {
  if (detail::is_no_path(path)) return make_error(errc::invalid, "readiness", "not the path of a socket", path.c_str());
  if (path.size() < sizeof(sockaddr_un::sun_path)) return detail::connect_unix_at(path, path);
  unique_fd entry(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!entry) return detail::connect_error(errno, path);
  return detail::connect_through(entry, path);
}

BERTH_DECL result<unique_fd> connect_guarded(const std::string& path) {
  if (detail::is_no_path(path)) return make_error(errc::invalid, "readiness", "not the path of a socket", path.c_str());
  unique_fd entry(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!entry) return detail::connect_error(errno, path);
  struct stat seen {};
  if (::fstat(entry.get(), &seen) != 0) return detail::connect_error(errno, path);
  if (!S_ISSOCK(seen.st_mode)) {
    return make_error(errc::hostile, "readiness",
                      S_ISLNK(seen.st_mode) ? "a symlink where a socket must be" : "not a socket", path,
                      "the sandbox put it there; berth does not follow it");
  }
  return detail::connect_through(entry, path);
}

}  // namespace berth
