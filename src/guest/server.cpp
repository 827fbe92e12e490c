// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

namespace berth::guest {
namespace {

void complain(const std::string& what) {
  const std::string line = "berth-init: " + what + ": " + std::strerror(errno) + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

server::~server() {
  daemon_.reset();
  connections_.clear();
  if (listener_) ::unlink(path_.c_str());
}

int server::run() {
  if (!loop_ || !take_signals()) {
    complain("cannot watch for signals");
    return 1;
  }
  // Without its socket a guest still reaps, and the host goes by `runsc exec`.
  if (!path_.empty() && !listen()) complain("cannot listen on " + path_);
  reap();  // what ended before we looked
  while (!loop_.stopped()) {
    if (daemon_) daemon_->run(loop_);
    else loop_.step(true);
  }
  return 0;
}

bool server::take_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signo : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&wanted, signo);
  if (::sigprocmask(SIG_BLOCK, &wanted, nullptr) != 0) return false;
  struct sigaction ignored {};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  return signals_ && loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
}

void server::on_signal() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) loop_.stop();
  }
  reap();  // one SIGCHLD may stand for many children
}

void server::reap() {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto at = commands_.find(pid);
    if (at == commands_.end()) continue;
    const auto whose = at->second.lock();
    commands_.erase(at);
    if (whose) whose->on_exit(status);
  }
}

bool server::listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_) return false;
  ::unlink(path_.c_str());
  const mode_t before = ::umask(0177);
  const bool bound = ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::umask(before);
  if (bound && ::listen(listener_.get(), 128) == 0 &&
      loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_some(); })) {
    return true;
  }
  const int err = errno;
  listener_.reset();
  errno = err;
  return false;
}

void server::accept_some() {
  for (int i = 0; i < 32; ++i) {
    unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    adopt(std::move(socket));
  }
}

void server::adopt(unique_fd socket) {
  connection::hooks tell;
  tell.gone = [this](connection& c) { connections_.erase(&c); };
  tell.started = [this](connection& c, pid_t pid) { commands_[pid] = c.weak_from_this(); };
  tell.daemon = [this](connection& c, std::string_view request) { take_daemon_request(c, request); };
  auto made = std::make_shared<connection>(loop_, std::move(socket), std::move(tell));
  connections_[made.get()] = made;
  made->begin();
}

void server::take_daemon_request(connection& from, std::string_view request) {
  if (!daemon_) {
    // The keeper runs its commands as a host does, over connections that nobody else can make.
    daemon_ = std::make_unique<daemon_keeper>(path_.substr(0, path_.rfind('/')), [this]() -> result<unique_fd> {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return errno_error(errno, "guest", "cannot make a pair of sockets");
      unique_fd theirs(ends[0]);
      adopt(unique_fd(ends[1]));
      return theirs;
    });
  }
  daemon_->take(from.weak_from_this(), request);
}

}  // namespace berth::guest
