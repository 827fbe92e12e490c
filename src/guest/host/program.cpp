// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <berth/process/pidfd.hpp>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace berth::guest {
namespace {

void become_program(const std::string& path, std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char programs[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/";
  char* const environment[] = {programs, home, nullptr};
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(path.c_str(), argv.data(), environment);
}

}  // namespace

int run_program(const std::string& path, const std::vector<std::string>& argv, int milliseconds) {
  const pid_t child = ::fork();
  if (child < 0) return -1;
  if (child == 0) {
    become_program(path, argv);
    ::_exit(127);
  }
  if (const auto process = open_pidfd(child)) {
    pollfd ended{process->get(), POLLIN, 0};
    if (::poll(&ended, 1, milliseconds) <= 0) (void)signal_pidfd(process->get(), SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void berth_command::become(const sandbox_record& record) const { become_program(program_, words(record, nullptr)); }

std::vector<std::string> berth_command::words(const sandbox_record& record, const char* what) const {
  std::vector<std::string> out = {"berth", "reap", "--root", root_, record.id, record.token};
  if (what != nullptr) out.emplace_back(what);
  return out;
}

}  // namespace berth::guest
