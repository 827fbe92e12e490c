// SPDX-License-Identifier: Apache-2.0
#include "tool.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace berth::guest {
namespace {

[[noreturn]] void become(const std::vector<std::string>& argv) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

bool enter_network(pid_t whose) {
  const unique_fd space(::open(("/proc/" + std::to_string(whose) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  return space && ::setns(space.get(), CLONE_NEWNET) == 0;
}

std::string content(int fd) {
  std::string text;
  char piece[4096];
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t n; text.size() < 64 * 1024 && (n = ::read(fd, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(n));
  return text;
}

}  // namespace

int run_tool(const std::vector<std::string>& argv, const std::string& input, pid_t netns_of, std::string* printed) {
  // Files in memory and no pipes: nothing has to be fed while it runs.
  const unique_fd in(::memfd_create("in", MFD_CLOEXEC)), out(::memfd_create("out", MFD_CLOEXEC));
  if (!in || !out || write_all(in.get(), input) != 0 || ::lseek(in.get(), 0, SEEK_SET) != 0) return 127;
  const pid_t pid = ::fork();
  if (pid < 0) return 127;
  if (pid == 0) {
    if (netns_of != 0 && !enter_network(netns_of)) ::_exit(127);
    if (::dup2(in.get(), 0) != 0 || ::dup2(out.get(), 1) != 1 || ::dup2(out.get(), 2) != 2) ::_exit(127);
    become(argv);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (printed != nullptr) *printed = content(out.get());
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void leave_tool(const std::vector<std::string>& argv) {
  if (::fork() != 0) return;
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(null, fd);
  become(argv);
}

}  // namespace berth::guest
