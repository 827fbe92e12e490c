// SPDX-License-Identifier: Apache-2.0
// Watches the processes that make and own the sandboxes of a root directory, and ends a sandbox with either, whatever ended that:
// the kernel tells by a pidfd. And it stops those whose lifetime is over, and puts those to sleep that nobody uses (sleep.hpp).
//
// What it goes by are the records: it is told of a change by inotify and then reads them anew, so that it can be killed and
// started again at any moment. When no sandbox needs it, it ends.
#include "root_watch.hpp"

#include "callers.hpp"
#include "program.hpp"
#include "sleep.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/sandbox/paused_marker.hpp>
#include <berth/sandbox/sandbox_sockets.hpp>
#include <berth/sandbox/root_watch.hpp>
#include <berth/sandbox/record.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace berth::guest {
namespace {

constexpr int without_news_ms = 200;                   // where there is no inotify
constexpr int stopping_ms = 1'000;                     // until one that is stopped is looked at again
constexpr int stop_ms = 120'000, waking_ms = 180'000;  // for the berth command

constexpr int failing_ms = 1'000;  // until one that could not be woken is tried again

// A process of its own, which nobody has to wait for. It has none of the watch's descriptors but `keep`: neither its lock nor
// copies of sandboxes' sockets.
void leave(const std::function<void()>& what, int keep = -1) {
  const pid_t between = ::fork();
  if (between == 0) {
    if (::fork() == 0) {
      if (keep > 3) ::close_range(3, static_cast<unsigned>(keep) - 1, 0);
      ::close_range(static_cast<unsigned>(std::max(keep + 1, 3)), ~0U, 0);
      what();
    }
    ::_exit(0);
  }
  while (between > 0 && ::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool has_word(pid_t pid, const std::string& token) {
  return read_system_file("/proc/" + std::to_string(pid) + "/cmdline", 64 * 1024).find(token) != std::string::npos;
}

// The sandbox's own process, whose pid runsc wrote down; the gofers end with it.
void kill_sandbox(const sandbox_record& record) {
  const pid_t pid = read_pid_file(record.directory + "/sandbox.pid");
  if (pid <= 1) return;
  const auto process = open_pidfd(pid);
  // Asked after it was opened: the descriptor is of this very process.
  if (process && has_word(pid, record.token)) (void)signal_pidfd(process->get(), SIGKILL);
}

struct watched {
  sandbox_record record;
  int inotify_watch = -1;
  unique_fd creator, owner;  // pidfds, where it ends with them
  bool stopping = false;

  // Of one that falls asleep:
  std::int64_t look_at_ms =
      0;                   // whether anybody uses it, or, of one that could not be woken, once more; 0: not yet known
  unique_fd helper;        // what a process that puts it to sleep or wakes it tells; none: there is no such process
  bool broke_off = false;  // one was killed: it may have paused the sandbox or not
  bool asleep = false;
  sandbox_sockets sockets;  // while it is asleep: what wakes it,
  unique_fd process;        // and its process, which holds them
  docker_callers callers;   // while it is hibernated
};

class root_watch {
 public:
  root_watch(std::string root, std::string program)
      : root_(std::move(root)), command_(root_, std::move(program)), boot_id_(read_boot_id()) {
    news_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (news_)
      (void)::inotify_add_watch(
          news_.get(), root_.c_str(),
          IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_ATTRIB);  // ensure_watch()
  }

  void run() {
    for (;;) {
      look();
      if (sandboxes_.empty() && !is_wanted()) return;
      wait();
    }
  }

 private:
  // Nobody who takes a held lock for a living watch is let down: the lock is given up first, then all is looked at once more.
  bool is_wanted() {
    (void)::flock(root_watch_fd, LOCK_UN);
    look();
    return !sandboxes_.empty() && ::flock(root_watch_fd, LOCK_EX | LOCK_NB) == 0;
  }

  void wait() {
    std::vector<pollfd> all{{news_.get(), POLLIN, 0}};
    std::int64_t patience = news_ ? -1 : without_news_ms;
    const auto at_most = [&patience](std::int64_t ms) {
      if (patience < 0 || ms < patience) patience = std::max<std::int64_t>(ms, 0);
    };
    for (const auto& [id, one] : sandboxes_) {
      if (one.creator) all.push_back({one.creator.get(), POLLIN, 0});
      if (one.owner) all.push_back({one.owner.get(), POLLIN, 0});
      if (one.helper) all.push_back({one.helper.get(), POLLIN, 0});
      else if (one.callers && boot_time_ms() >= one.look_at_ms) all.push_back({one.callers.fd(), POLLIN, 0});
      else if (one.asleep && boot_time_ms() >= one.look_at_ms)
        for (const unique_fd& socket : one.sockets.copies) all.push_back({socket.get(), POLLIN, 0});
      if (one.process) all.push_back({one.process.get(), POLLIN, 0});
      if (one.record.idle_timeout_ms != 0 && one.look_at_ms != 0 && !one.helper && !one.stopping &&
          one.record.process_alive() && (!one.asleep || boot_time_ms() < one.look_at_ms))
        at_most(one.look_at_ms - boot_time_ms());
      if (one.callers && !one.helper && boot_time_ms() < one.look_at_ms) at_most(one.look_at_ms - boot_time_ms());
      if (one.stopping) at_most(stopping_ms);
      else if (one.record.ends_at_ms != 0) at_most(one.record.ends_at_ms - boot_time_ms());
    }
    (void)::poll(all.data(), all.size(), static_cast<int>(std::min<std::int64_t>(patience, 1'000'000'000)));
    char events[4096];
    while (news_ && ::read(news_.get(), events, sizeof events) > 0) {
    }
  }

  // Reads all records, and does what has to be done by now.
  void look() {
    std::set<std::string> seen;
    const std::unique_ptr<DIR, int (*)(DIR*)> all(::opendir(root_.c_str()), &::closedir);
    while (const dirent* entry = all ? ::readdir(all.get()) : nullptr) {
      if (entry->d_name[0] == '.') continue;
      auto record = read_record(root_ + "/" + entry->d_name);
      const auto known = record ? sandboxes_.find(record->id) : sandboxes_.end();
      if (known != sandboxes_.end() && known->second.callers && known->second.record.token == record->token) {
        // Also of one that needs nothing more once it is awake.
        known->second.record = *record;
        see_to_callers(known->second);
      }
      if (!record || !needs_watch(*record, boot_id_) || ended_.contains(record->token)) continue;
      seen.insert(record->id);
      if (known != sandboxes_.end() && known->second.record.token != record->token) forget(known);
      take(std::move(*record));
    }
    for (auto at = sandboxes_.begin(); at != sandboxes_.end();) {
      const auto one = at++;
      if (!seen.contains(one->first)) forget(one);
      else act(one);
    }
  }

  void take(sandbox_record record) {
    watched& one = sandboxes_[record.id];
    one.record = std::move(record);
    // A removal renames the directory, then takes out the record. A change of the record is a rename in it.
    if (one.inotify_watch < 0 && news_)
      one.inotify_watch = ::inotify_add_watch(news_.get(), one.record.directory.c_str(),
                                              IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF);
    follow(one.creator, one.record.ends_with_creator ? one.record.creator : process_identity());
    follow(one.owner, one.record.owner);
  }

  static void follow(unique_fd& pidfd, const process_identity& whom) {
    if (!whom) pidfd.reset();
    if (!whom || pidfd) return;
    auto opened = open_pidfd(whom.pid);
    if (opened) pidfd = std::move(*opened);  // one that is gone, or another of its number by now, is_forsaken() tells
  }

  using place = std::map<std::string, watched>::iterator;

  void forget(place at) {
    if (at->second.inotify_watch >= 0) (void)::inotify_rm_watch(news_.get(), at->second.inotify_watch);
    sandboxes_.erase(at);
  }

  static bool is_over(const sandbox_record& record) {
    return record.ends_at_ms != 0 && boot_time_ms() >= record.ends_at_ms;
  }

  // In a process of its own, which tells in how many milliseconds the sandbox is to be looked at again.
  static void have_done(watched& one, const std::function<std::int64_t()>& what) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      one.look_at_ms = boot_time_ms() + failing_ms;
      return;
    }
    one.helper.reset(ends[0]);
    const unique_fd theirs(ends[1]);
    leave(
        [&] {
          const std::int64_t again = what();
          (void)!::write(theirs.get(), &again, sizeof again);
        },
        theirs.get());
  }

  // Whether the process that was at it is done.
  static bool is_free(watched& one) {
    if (!one.helper) return true;
    std::int64_t again = 0;
    const ssize_t n = ::read(one.helper.get(), &again, sizeof again);
    if (n < 0) return false;  // not yet
    one.helper.reset();
    one.broke_off = n != static_cast<ssize_t>(sizeof again);
    one.look_at_ms = boot_time_ms() + (one.broke_off ? failing_ms : again);
    return true;
  }

  void see_to_sleep(watched& one) {
    const sandbox_record& record = one.record;
    if (one.asleep && !record.process_alive()) let_go(one);
    const bool falls_asleep = record.idle_timeout_ms != 0 && record.is_up();
    if (!is_free(one) || (!falls_asleep && !one.asleep)) return;
    const bool runs = falls_asleep && !one.stopping && record.process_alive();
    const paused_marker marker(record);
    const bool asleep = runs && marker.says_asleep();
    // It has come up, fallen asleep, woken or been paused, by whomsoever.
    if (one.look_at_ms == 0 || asleep != one.asleep || (!asleep && marker.is_there())) {
      let_go(one);
      one.asleep = asleep;
      one.look_at_ms = boot_time_ms() + (asleep ? 0 : record.idle_timeout_ms);
      if (asleep) take_sockets(one);
    }
    if (!runs || boot_time_ms() < one.look_at_ms) return;
    if (!asleep) {
      have_done(one, [&] { return put_to_sleep(record, command_); });
    } else if (one.broke_off || one.sockets.has_caller()) {
      have_done(one, [&record] {
        wake(record);
        return std::int64_t{failing_ms};  // of one that is awake by then it is not asked
      });
    }
  }

  // Also of one that has ended, be it for being hibernated: its process would be news without end, and its clients see no end.
  static void let_go(watched& one) {
    one.asleep = false;
    one.sockets = {};
    one.process.reset();
  }

  // What they hold ends with the sandbox, which its process tells. One that they cannot be had of is woken again.
  static void take_sockets(watched& one) {
    if (auto found = find_sandbox_sockets(one.record); found && !found->too_many) one.sockets = std::move(*found);
    else one.broke_off = true;
    if (auto process = open_pidfd(one.record.sandbox_process.pid)) one.process = std::move(*process);
  }

  // Its clients' first word brings it back. Those who have called by then, and until it listens itself, are handed over to it.
  // It listens as soon as the record says that it is saved: who saves it waits for that, and only then ends it.
  void see_to_callers(watched& one) {
    const bool hibernated = one.record.phase == record_phase::hibernated && !one.stopping;
    if (hibernated && !one.callers && command_) {
      one.callers = docker_callers(one.record);
      one.look_at_ms = 0;
    }
    if (!one.callers) return;
    if (!hibernated) {
      if (one.record.is_up()) leave([&] { one.callers.connect(one.record); }, one.callers.fd());
      one.callers = {};
    } else if (one.callers.have_called() && !one.helper && boot_time_ms() >= one.look_at_ms) {
      have_done(one, [&] {
        (void)command_.run(one.record, "--wake", waking_ms);
        return std::int64_t{failing_ms};
      });
    }
  }

  void act(place at) {
    watched& one = at->second;
    if (one.record.phase == record_phase::hibernated) see_to_callers(one);
    see_to_sleep(one);
    if (!is_forsaken(one.record) && (one.stopping || !is_over(one.record))) return;
    // Whoever has ended by now may have handed the sandbox over after its record was read. What they wrote before they ended
    // counts; what is to be done by a record that has changed so is seen at the next look.
    auto now = read_record(one.record.directory);
    if (!now || now->token != one.record.token || !needs_watch(*now, boot_id_)) return;
    one.record = std::move(*now);
    if (is_forsaken(one.record)) {
      // Without the command what is left is for `berth gc`.
      kill_sandbox(one.record);
      if (command_) leave([&] { command_.become(one.record); });
      ended_.insert(one.record.token);
      forget(at);
    } else if (!one.stopping && is_over(one.record)) {
      one.stopping = true;
      leave([&] { stop(one.record); });
    }
  }

  // In order where the berth command is there, which has a minute for it; by force in any case.
  void stop(const sandbox_record& record) {
    if (command_) (void)command_.run(record, "--stop", stop_ms);
    kill_sandbox(record);
  }

  std::string root_;
  berth_command command_;
  std::string boot_id_;
  unique_fd news_;
  std::map<std::string, watched> sandboxes_;  // by id
  std::set<std::string> ended_;               // tokens: to each it is done once
};

}  // namespace

int watch_root(const char* root, const char* program) {
  if (::fcntl(root_watch_fd, F_SETFD, FD_CLOEXEC) != 0) return 1;
  const pid_t child = ::fork();
  if (child < 0) return 1;
  if (child > 0) ::_exit(0);
  // Whoever ends the starter's whole session or group, by a signal that can be put off, does not end this with it.
  ::setsid();
  (void)!::chdir("/");
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  root_watch(root, program).run();
  return 0;
}

}  // namespace berth::guest
