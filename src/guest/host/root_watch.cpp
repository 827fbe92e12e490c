// SPDX-License-Identifier: Apache-2.0
// Watches the process that made a sandbox, and the one that owns it, and ends the sandbox with either, whatever ended that: the
// kernel tells by a pidfd. And it stops one whose lifetime is over.
//
// Through the pipe the creator says 'r' when the sandbox runs, and 'h' when it was handed over, from when on the creator's end
// is nothing to it. The end of the pipe before 'r' means that its making was given up half-way by a process that lives on. When
// there is nothing left to watch for, the record being gone for one, it ends.
#include "watch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace berth::guest {
namespace {

// Nothing left of the sandbox: it was removed, by whomever.
bool is_gone() {
  struct stat info {};
  return fstatat(watch_directory_fd, "record.json", &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

// Whether the process has this word, or a word that contains it, on its command line.
bool has_word(int pid, const char* token) {
  char path[64], text[16384];
  snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t size = read(fd, text, sizeof text);
  close(fd);
  return size > 0 && memmem(text, static_cast<std::size_t>(size), token, strlen(token)) != nullptr;
}

// The sandbox's own process, whose pid runsc wrote down; the gofers end with it.
void kill_sandbox(const char* token) {
  char text[16] = "";
  const int file = openat(watch_directory_fd, "sandbox.pid", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return;
  const ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  const int pid = size > 0 ? atoi(text) : 0;
  if (pid <= 1) return;
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return;
  // Asked after it was opened: the descriptor is of this very process.
  if (has_word(pid, token)) syscall(SYS_pidfd_send_signal, process, SIGKILL, nullptr, 0);
  close(process);
}

// Becomes `berth reap`, which takes away what is left of the sandbox, or with `over` only stops it.
void reap(const char* token, const char* program, bool over) {
  char link[64], directory[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", watch_directory_fd);
  const ssize_t size = readlink(link, directory, sizeof directory - 1);
  if (size <= 0) return;
  directory[size] = '\0';
  char* slash = strrchr(directory, '/');
  if (slash == nullptr || slash == directory) return;
  *slash = '\0';
  char name[] = "berth", verb[] = "reap", root[] = "--root", stop[] = "--stop";
  char* const argv[] = {name,   verb, root, directory, slash + 1, const_cast<char*>(token), over ? stop : nullptr,
                        nullptr};
  char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/";
  char* const environment[] = {path, home, nullptr};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(program, argv, environment);
}

void end_sandbox(const char* token, const char* program) {
  if (is_gone()) return;
  kill_sandbox(token);
  if (program[0] != '\0') reap(token, program, false);  // else what is left is for `berth gc`
}

// In order where the berth command is there, which has a minute for it; by force in any case.
void stop_sandbox(const char* token, const char* program) {
  if (is_gone()) return;
  const pid_t child = program[0] != '\0' ? fork() : -1;
  if (child == 0) {
    reap(token, program, true);
    _exit(1);
  }
  if (child > 0) waitpid(child, nullptr, 0);
  kill_sandbox(token);
}

long long now_ms() {
  struct timespec now {};
  clock_gettime(CLOCK_BOOTTIME, &now);  // a host that sleeps does not stop the clock
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void watch(const char* token, const char* program, long long lifetime, bool has_owner) {
  enum { creator, owner, pipe, changes, count };
  struct pollfd wait[count] = {
      {watch_creator_fd, POLLIN, 0}, {-1, POLLIN, 0}, {watch_pipe_fd, POLLIN, 0}, {-1, POLLIN, 0}};
  if (has_owner) wait[owner].fd = watch_owner_fd;
  const long long over = now_ms() + lifetime;
  bool runs = false;
  char link[64], events[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", watch_directory_fd);
  // A removal renames the directory, then takes out the record.
  wait[changes].fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  inotify_add_watch(wait[changes].fd, link, IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM);
  while (!is_gone()) {
    if (wait[creator].fd < 0 && wait[owner].fd < 0 && lifetime == 0) return;
    const long long left = lifetime == 0 ? -1 : over > now_ms() ? over - now_ms() : 0;
    if (poll(wait, count, left > INT_MAX ? INT_MAX : static_cast<int>(left)) < 0 && errno != EINTR) return;
    if (wait[changes].revents != 0)
      while (read(wait[changes].fd, events, sizeof events) > 0) {
      }
    if (is_gone()) return;
    // What the creator said before it ended comes first.
    if (wait[pipe].revents != 0) {
      char said = 0;
      const ssize_t n = read(watch_pipe_fd, &said, 1);
      if (n == 1 && said == 'r') runs = true;
      if (n == 1 && said == 'h') wait[creator].fd = -1;
      // A creation that failed has taken down what it made before it closes the pipe.
      if (n != 1 && !runs) return end_sandbox(token, program);
      if (n != 1) {
        close(watch_pipe_fd);
        wait[pipe].fd = -1;
      }
      continue;
    }
    if (wait[creator].revents != 0 || wait[owner].revents != 0) return end_sandbox(token, program);
    if (lifetime != 0 && now_ms() >= over) {
      stop_sandbox(token, program);
      lifetime = 0;
    }
  }
}

}  // namespace

int watch_creator(const char* token, const char* program, long long lifetime, bool has_owner) {
  const pid_t child = ::fork();
  if (child < 0) return 1;
  if (child > 0) return 0;
  // Whoever ends the creator's whole session or group, by a signal that can be put off, does not end this with it.
  ::setsid();
  (void)!::chdir("/");
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  watch(token, program, lifetime, has_owner);
  ::_exit(0);
}

}  // namespace berth::guest
