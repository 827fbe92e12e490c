// SPDX-License-Identifier: Apache-2.0
#include "create.hpp"

#include "base/pause.hpp"

#include <berth/base/file.hpp>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace berth::guest {
namespace {

constexpr int most_tries = 4;

pid_t start(const std::vector<char*>& argv, const sigset_t* mask = nullptr) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever kills us means runc
  if (mask != nullptr) ::sigprocmask(SIG_SETMASK, mask, nullptr);
  ::execv(argv.front(), argv.data());
  ::_exit(127);
}

/// runc's exit code; 128 and the signal's number where one ended it.
int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int run_and_wait(const std::vector<char*>& argv) {
  const pid_t pid = start(argv);
  if (pid < 0) return 1;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return 1;
  return exit_code(status);
}

/// As run_and_wait, with all signals going on to runc. They are blocked here.
int run_and_forward(const std::vector<char*>& argv, const sigset_t& before) {
  const pid_t pid = start(argv, &before);
  if (pid < 0) return 1;
  sigset_t all;
  ::sigfillset(&all);
  for (;;) {
    siginfo_t got{};
    const int signo = ::sigwaitinfo(&all, &got);
    if (signo == SIGCHLD) {
      int status = 0;
      if (::waitpid(pid, &status, WNOHANG) == pid) return exit_code(status);
    } else if (signo > 0 && got.si_code != SI_KERNEL) {  // a terminal's go to runc by themselves
      ::kill(pid, signo);
    }
  }
}

std::size_t size_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::size_t>(info.st_size) : 0;
}

/// Whether runc's log says, behind the first `from` bytes, that the container's program was never started.
bool says_never_started(const std::string& log, std::size_t from) {
  const std::string text = read_system_file(log, 1u << 20);
  const std::string_view said = std::string_view(text).substr(std::min(from, text.size()));
  return said.find("container process is already dead") != std::string_view::npos ||
         (said.find("exec fifo") != std::string_view::npos &&
          said.find("interrupted system call") != std::string_view::npos);
}

/// The state in /proc/PID/stat, behind the name, which may have anything in it; 0: the process is gone.
char state_of(pid_t pid) {
  const std::string text = read_system_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  const std::size_t name_end = text.rfind(") ");
  return name_end == std::string::npos || name_end + 2 >= text.size() ? '\0' : text[name_end + 2];
}

/// Whether it waits, as it does in open(2) of the FIFO once it is asleep at two looks in a row; false: it has ended.
bool waits_to_be_started(pid_t pid) {
  int asleep = 0;
  for (int look = 0; look < 500; ++look) {
    const char state = state_of(pid);
    if (state == '\0' || state == 'Z' || state == 'X') return false;
    asleep = state == 'S' ? asleep + 1 : 0;
    if (asleep == 2) return true;
    pause_for(1);
  }
  return true;  // a slow one: start tells
}

/// `runc [global options] delete --force ID`.
void remove_lost(const runc_arguments& arguments, const std::vector<char*>& argv) {
  std::vector<char*> words(argv.begin(), argv.begin() + 1 + static_cast<std::ptrdiff_t>(arguments.verb_at));
  std::string verb = "delete", force = "--force", id(arguments.id);
  for (std::string* word : {&verb, &force, &id}) words.push_back(word->data());
  words.push_back(nullptr);
  (void)run_and_wait(words);
}

}  // namespace

int create_container(const runc_arguments& arguments, const std::vector<char*>& argv) {
  const std::string pid_file(arguments.pid_file);
  for (int attempt = 1;; ++attempt) {
    const int code = run_and_wait(argv);
    if (code != 0) return code;
    const pid_t pid = read_pid_file(pid_file);
    if (pid <= 0 || waits_to_be_started(pid) || attempt == most_tries) return 0;
    remove_lost(arguments, argv);
  }
}

bool may_run_again(const runc_arguments& arguments) {
  struct stat input {};
  const bool nothing_to_read = ::fstat(0, &input) != 0 || (S_ISCHR(input.st_mode) && input.st_rdev == ::makedev(1, 3));
  return nothing_to_read && !arguments.log.empty() && !arguments.id.empty() && !arguments.console;
}

int run_container(const runc_arguments& arguments, const std::vector<char*>& argv) {
  const std::string log(arguments.log);
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  for (int attempt = 1;; ++attempt) {
    const std::size_t said = size_of(log);
    const int code = run_and_forward(argv, before);
    if (code == 0 || attempt == most_tries || !says_never_started(log, said)) return code;
    remove_lost(arguments, argv);
  }
}

}  // namespace berth::guest
