// SPDX-License-Identifier: Apache-2.0
// Answers what the sandboxes of a root directory ask for names, where their egress policies have names in them, and opens the
// addresses that it answers with. Whoever answers decides which addresses a name has; so nobody but this does.
//
// What it goes by are the records: whoever changes one that matters here tells it, inotify and pidfds tell of sandboxes that
// end, and it then reads them anew, so that it can be killed and started again at any moment. When no sandbox needs it, it ends.
#include "names.hpp"

#include "base/event_loop.hpp"
#include "name_server.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/sandbox/name_service.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace berth::guest {
namespace {

constexpr long tick_ns = 250'000'000;

unique_fd listen_for_callers() {
  (void)::unlink(names_socket);
  unique_fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un place{};
  place.sun_family = AF_UNIX;
  std::strcpy(place.sun_path, names_socket);
  if (!made || ::bind(made.get(), reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0 ||
      ::listen(made.get(), 64) != 0)
    return {};
  return made;
}

class name_answering {
 public:
  explicit name_answering(std::string root) : root_(std::move(root)), boot_id_(read_boot_id()) {
    news_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    clock_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  }

  bool begin() {
    if (!loop_ || !news_ || !clock_ || !open_door()) return false;
    (void)loop_.watch(news_.get(), EPOLLIN, [this](std::uint32_t) {
      char events[4096];
      while (::read(news_.get(), events, sizeof events) > 0) {
      }
      look();
    });
    (void)loop_.watch(clock_.get(), EPOLLIN, [this](std::uint32_t) { tick(); });
    look();
    return true;
  }

  void run() {
    while (!served_.empty() || is_wanted()) {
      loop_.step(true);
      if (!ticking_) tick();
    }
  }

 private:
  struct one_served {
    std::shared_ptr<name_server> server;
    int inotify_watch = -1;
    unique_fd process;  // without which it does not live: its creator, then its own
    pid_t of = 0;
  };

  bool open_door() {
    door_ = listen_for_callers();
    return door_ && loop_.watch(door_.get(), EPOLLIN, [this](std::uint32_t) { welcome(); });
  }
  void close_door() {
    loop_.forget(door_.get());
    door_.reset();
    (void)::unlink(names_socket);
  }

  // Nobody who takes a held lock for a living process is let down: the lock is given up first, then all is looked at once more.
  bool is_wanted() {
    close_door();
    (void)::flock(names_lock_fd, LOCK_UN);
    look();
    return !served_.empty() && ::flock(names_lock_fd, LOCK_EX | LOCK_NB) == 0 && open_door();
  }

  void look() {
    std::set<std::string> seen;
    const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir("."), &::closedir);
    while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
      if (entry->d_name[0] == '.') continue;
      auto record = read_record(root_ + "/" + entry->d_name);
      if (!record || !needs_names(*record, boot_id_)) continue;
      seen.insert(record->token);
      take(std::move(*record));
    }
    for (auto at = served_.begin(); at != served_.end();) {
      const auto one = at++;
      if (!seen.contains(one->first)) forget(one);
    }
  }

  void take(sandbox_record record) {
    one_served& one = served_[record.token];
    if (!one.server) one.server = std::make_shared<name_server>(loop_, elements_);
    if (one.inotify_watch < 0)
      one.inotify_watch = ::inotify_add_watch(news_.get(), record.directory.c_str(),
                                              IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF);
    const pid_t of = record.phase == record_phase::creating ? record.creator.pid : record.sandbox_process.pid;
    if (one.of != of) {
      let_go(one);
      auto opened = open_pidfd(of);
      if (opened && loop_.watch(opened->get(), EPOLLIN, [this](std::uint32_t) { look(); })) {
        one.process = std::move(*opened);
        one.of = of;
      }
    }
    one.server->serve(std::move(record));
  }

  using place = std::map<std::string, one_served>::iterator;

  void let_go(one_served& one) {
    if (one.process) loop_.forget(one.process.get());
    one.process.reset();
    one.of = 0;
  }

  void forget(place at) {
    at->second.server->stop();
    let_go(at->second);
    if (at->second.inotify_watch >= 0) (void)::inotify_rm_watch(news_.get(), at->second.inotify_watch);
    served_.erase(at);
  }

  // The clock runs while something waits.
  void tick() {
    std::uint64_t times = 0;
    (void)!::read(clock_.get(), &times, sizeof times);
    bool waits = !callers_.empty();
    for (const auto& [token, one] : served_) waits = one.server->look_at_time(clock::now()) || waits;
    if (waits == ticking_) return;
    ticking_ = waits;
    itimerspec spec{};
    if (waits) spec.it_interval.tv_nsec = spec.it_value.tv_nsec = tick_ns;
    (void)::timerfd_settime(clock_.get(), 0, &spec, nullptr);
  }

  void welcome() {
    while (door_) {
      unique_fd made(::accept4(door_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!made) return;
      const int fd = made.get();
      if (loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { answer(fd); })) callers_[fd] = std::move(made);
    }
  }

  void answer(int fd) {
    char question[256];
    const ssize_t n = ::recv(fd, question, sizeof question, 0);
    if (n > 0) {
      const std::string said = reply_to(std::string_view(question, static_cast<std::size_t>(n)));
      (void)::send(fd, said.data(), said.size(), MSG_NOSIGNAL);
    }
    loop_.forget(fd);
    callers_.erase(fd);
  }

  std::string reply_to(std::string_view question) {
    const std::size_t blank = std::min(question.find(' '), question.size());
    const std::string_view verb = question.substr(0, blank);
    look();
    const auto at = served_.find(std::string(question.substr(std::min(blank + 1, question.size()))));
    if (at == served_.end()) return "its policy has no names, or it does not run\n";
    const name_server& server = *at->second.server;
    if (!server.obstacle().empty()) return server.obstacle() + "\n";
    std::string said = "done\n";
    if (verb == "refused")
      for (const refused_name& one : server.refused()) said += detail::names_line(one);
    return said;
  }

  std::string root_, boot_id_;
  event_loop loop_;
  nft_elements elements_;
  unique_fd news_, clock_, door_;
  std::map<std::string, one_served> served_;  // by token
  std::map<int, unique_fd> callers_;
  bool ticking_ = false;
};

}  // namespace

int answer_names(const char* root) {
  if (::fcntl(names_lock_fd, F_SETFD, FD_CLOEXEC) != 0 || ::chdir(root) != 0) return 1;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
  name_answering all(root);
  if (!all.begin()) return 1;
  // Callers find its door from here on.
  const pid_t child = ::fork();
  if (child < 0) return 1;
  if (child > 0) ::_exit(0);
  ::setsid();
  sigset_t every;
  sigfillset(&every);
  ::sigprocmask(SIG_SETMASK, &every, nullptr);
  all.run();
  return 0;
}

}  // namespace berth::guest
