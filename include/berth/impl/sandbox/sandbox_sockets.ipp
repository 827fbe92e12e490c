// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/pidfd.hpp>
#include <berth/sandbox/sandbox_sockets.hpp>

#include <dirent.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace berth {
namespace detail {

inline int socket_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/// The path that a unix socket was bound to, by the names of whoever bound it; empty for one without a path.
inline std::string bound_path(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (size <= offsetof(sockaddr_un, sun_path)) return {};
  const std::string_view path(address.sun_path, size - offsetof(sockaddr_un, sun_path));
  return std::string(path.substr(0, path.find('\0')));
}

}  // namespace detail

BERTH_DECL bool sandbox_sockets::has_caller() {
  for (auto at = copies.begin(); at != copies.end();) {
    pollfd now{at->get(), POLLIN, 0};
    const bool ready = ::poll(&now, 1, 0) > 0 && now.revents != 0;
    if (!ready) {
      ++at;
      continue;
    }
    int unread = 0;
    if (detail::socket_option(at->get(), SO_ACCEPTCONN) == 1 ||
        (::ioctl(at->get(), FIONREAD, &unread) == 0 && unread > 0))
      return true;
    at = copies.erase(at);  // its end, which the guest sees when it runs again
  }
  return false;
}

BERTH_DECL result<sandbox_sockets> find_sandbox_sockets(const sandbox_record& record) {
  const auto ended = [&record] {
    return make_error(errc::sandbox_not_running, "sandbox", "the sandbox does not run any more", record.id);
  };
  auto process = open_pidfd(record.sandbox_process.pid);
  if (!process) return std::move(process).error();
  if (!record.process_alive()) return ended();  // asked after opening: the descriptor is of this very process
  const std::string path = "/proc/" + std::to_string(record.sandbox_process.pid) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir(path.c_str()), &::closedir);
  if (!all) return errno_error(errno, "sandbox", "cannot look for the sandbox's sockets", path);
  sandbox_sockets out;
  while (const dirent* entry = ::readdir(all.get())) {
    char target[16];
    const ssize_t n = ::readlinkat(::dirfd(all.get()), entry->d_name, target, sizeof target);
    if (!std::string_view(target, n > 0 ? static_cast<std::size_t>(n) : 0).starts_with("socket:")) continue;
    unique_fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process->get(), std::atoi(entry->d_name), 0)));
    if (!copy) {
      const int failed = errno;
      if (failed == EBADF) continue;  // closed meanwhile
      if (failed == ESRCH) return ended();
      error e = errno_error(failed, "sandbox", "the sandbox's sockets cannot be looked at", record.id,
                            "pidfd_getfd(2) needs Linux 5.6 and the capability SYS_PTRACE");
      if (failed == EPERM || failed == ENOSYS) e.code = errc::unsupported;
      return e;
    }
    if (detail::socket_option(copy.get(), SO_DOMAIN) != AF_UNIX) continue;
    const std::string where = detail::bound_path(copy.get());
    if (where.empty()) continue;  // pairs of runsc's own
    const bool listens = detail::socket_option(copy.get(), SO_ACCEPTCONN) == 1;
    const std::string_view name = std::string_view(where).substr(where.rfind('/') + 1);
    const bool is_runscs = name.starts_with("runsc-");
    const bool is_wanted = listens ? !is_runscs : name == "guest.sock" || name == "docker.sock";
    if (!is_wanted) out.others = out.others || !listens;
    else if (out.copies.size() < sandbox_sockets::most_copies) out.copies.push_back(std::move(copy));
    else out.too_many = true;
    if (out.too_many) break;  // a sandbox may have any number of them
  }
  return out;
}

}  // namespace berth
