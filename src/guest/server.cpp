// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include "base/complain.hpp"
#include "base/unix_socket.hpp"

#include <berth/base/text.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

namespace berth::guest {

server::~server() {
  daemon_.reset();
  connections_.clear();
  if (listener_) ::unlink(path_.c_str());
}

int server::run() {
  if (!loop_ || !take_signals()) {
    complain_errno("cannot watch for signals");
    return 1;
  }
  // Without its socket a guest still reaps, and the host goes by `runsc exec`.
  if (!path_.empty() && !listen()) complain_errno("cannot listen on " + path_);
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
    if (at == commands_.end()) {
      files_.forget(pid);
      last_use_ = std::chrono::steady_clock::now();  // a container's end shows so: its shim is an orphan
      continue;
    }
    const auto whose = at->second.lock();
    commands_.erase(at);
    if (whose) whose->on_exit(status);
  }
}

bool server::listen() {
  listener_ = listen_at(path_, 0600);
  if (!listener_) return false;
  if (loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_some(); })) return true;
  listener_.reset();
  return false;
}

void server::accept_some() {
  for (int i = 0; i < 32; ++i) {
    unique_fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    adopt(std::move(socket), true);
  }
}

void server::adopt(unique_fd socket, bool from_host) {
  connection::hooks tell;
  tell.gone = [this](connection& c) {
    const auto at = connections_.find(&c);
    if (at == connections_.end()) return;
    if (at->second.from_host && !at->second.quiet) last_use_ = std::chrono::steady_clock::now();
    connections_.erase(at);
  };
  tell.started = [this](connection& c, pid_t pid) { commands_[pid] = c.weak_from_this(); };
  tell.daemon = [this](connection& c, std::string_view request) { take_daemon_request(c, request); };
  tell.retreat = [this](connection& c, bool for_good) { take_retreat(c, for_good); };
  tell.rest = [this](connection& c, guest_rest wanted) { take_rest(c, wanted); };
  tell.file = [this](connection& c, std::string_view request) { take_file_request(c, request); };
  auto made = std::make_shared<connection>(loop_, std::move(socket), std::move(tell));
  connections_[made.get()] = {made, from_host};
  made->begin();
}

void server::take_daemon_request(connection& from, std::string_view request) {
  if (!daemon_) {
    // The keeper runs its commands as a host does, over connections that nobody else can make.
    daemon_ = std::make_unique<daemon_keeper>(directory(), loop_, [this]() -> result<unique_fd> {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return errno_error(errno, "guest", "cannot make a pair of sockets");
      unique_fd theirs(ends[0]);
      adopt(unique_fd(ends[1]), false);
      return theirs;
    });
  }
  const bool listens = daemon_->take(from.weak_from_this(), request);
  if (const auto at = connections_.find(&from); at != connections_.end()) at->second.quiet = listens;
}

void server::take_file_request(connection& from, std::string_view request) {
  const int err = files_.start(from.socket(), from.received(), from.unsent(), request);
  if (err == 0) return from.close();
  from.refuse("the request about files was not taken up", err);
}

std::string server::what_retreat_would_cut_off(const connection& whose) const {
  // One that has not been read yet is about to be taken up.
  const auto has_word = [](int socket) {
    char next;
    return ::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  };
  std::size_t commands = 0;
  for (const auto& [one, known] : connections_)
    if (known.from_host && one != &whose && (one->has_command() || has_word(one->socket()))) ++commands;
  if (commands != 0) {
    return std::to_string(commands) + (commands == 1 ? " command runs" : " commands run") +
           " through the sandbox's guest, and would be cut off";
  }
  if (const std::size_t busy = files_.busy(); busy != 0) {
    return "files of the sandbox are being read or written by " + counted(busy, "request") + ", which would be cut off";
  }
  if (daemon_ && daemon_->starting()) return "Docker in the sandbox is still starting";
  if (retreat_) return "another checkpoint is being made";
  return {};
}

void server::take_retreat(connection& from, bool for_good) {
  std::string why = what_retreat_would_cut_off(from);
  if (why.empty() && daemon_) why = docker_checkpoint_.prepare(for_good);
  if (!why.empty()) return from.refuse(why);
  loop_.forget(listener_.get());
  ::unlink(path_.c_str());
  // Who has just connected is cut off, and comes again. With the listener alone gone it would wait: gVisor leaves its end open
  // (release-20260905.0).
  while (unique_fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC))) {
  }
  listener_.reset();
  // What is left listens to news of dockerd, and asks again. At once, before anybody says more.
  std::vector<std::shared_ptr<connection>> hosts;
  for (const auto& [one, known] : connections_)
    if (known.from_host && one != &from) hosts.push_back(known.held);
  for (const auto& one : hosts) connections_.erase(one.get());
  if (daemon_) daemon_->retreat();
  files_.end_all();
  retreat_ = std::make_unique<retreat>(loop_, directory(), daemon_ ? &docker_checkpoint_ : nullptr,
                                       [this](const guest_wake& wake) { come_back(wake); });
  from.tell_retreating();
}

bool server::in_use_but_by(const connection& whom) const {
  const auto uses = [&whom](const auto& one) {
    return one.second.from_host && !one.second.quiet && one.first != &whom;
  };
  return std::any_of(connections_.begin(), connections_.end(), uses) || !files_.empty() ||
         (daemon_ && daemon_->in_use()) || retreat_;
}

void server::take_rest(connection& from, guest_rest wanted) {
  if (const auto at = connections_.find(&from); at != connections_.end()) at->second.quiet = true;
  guest_rest idle;
  if (!in_use_but_by(from)) {
    const auto last = daemon_ ? std::max(last_use_, daemon_->last_use()) : last_use_;
    const auto since = std::chrono::steady_clock::now() - last;
    idle.ms = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count(), 0, 0x7fffffff));
  }
  const int socket = from.socket();
  from.tell_idle(idle);
  if (from.closed() || idle.ms < wanted.ms || wanted.ms == 0) return;
  // What comes from now on is left where the host sees that it is there: it is about to stop all that runs here.
  pollfd ended{socket, POLLIN, 0};
  (void)::poll(&ended, 1, guest_rest_limit_ms);
}

void server::come_back(const guest_wake& wake) {
  last_use_ = std::chrono::steady_clock::now();  // a restored sandbox's clock has made a jump
  loop_.later([this] { retreat_.reset(); });     // it is what calls
  // Who finds the guest here again finds Docker's socket as well.
  if (daemon_) daemon_->come_back(wake.restored);
  if (!listen()) complain_errno("cannot listen on " + path_);
}

}  // namespace berth::guest
