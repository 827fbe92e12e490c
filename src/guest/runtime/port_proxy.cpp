// SPDX-License-Identifier: Apache-2.0
#include "port_proxy.hpp"

#include "base/complain.hpp"
#include "base/real_program.hpp"

#include <berth/base/unique_fd.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {
namespace {

// What dockerd hands over (moby, cmd/docker-proxy/main_linux.go, 20.10 to 29): a pipe for "0\n", or "1\n" and why not; from 28.0 on,
// with -use-listen-fd, the socket that listens.
constexpr int answer_fd = 3, listener_fd = 4;
constexpr int answer_limit_ms = 16'000;  // as long as dockerd waits
constexpr timespec until_next_try{0, 100'000'000};

bool is_flag(std::string_view arg, std::string_view name) {
  while (arg.starts_with('-')) arg.remove_prefix(1);
  return arg == name || (arg.starts_with(name) && arg.substr(name.size()).starts_with('='));
}

class port_proxy {
 public:
  port_proxy(std::string program, std::vector<std::string> args)
      : program_(std::move(program)), args_(std::move(args)) {
    sigemptyset(&signals_);
    for (const int one : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD}) sigaddset(&signals_, one);
  }

  int run() {
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
    child_ = start(answer_fd);
    ::close(answer_fd);
    const auto given = [](const std::string& arg) { return is_flag(arg, "use-listen-fd"); };
    if (std::erase_if(args_, given) != 0) ::close(listener_fd);
    if (child_ < 0) return 1;
    call_itself(port_proxy_name);
    for (;;) {
      switch (next_signal()) {
        case SIGINT:
        case SIGTERM: end(); return 0;
        case SIGUSR1:
          wanted_ = false;
          end();
          call_itself(port_proxy_away_name);
          break;
        case SIGUSR2: wanted_ = true; break;
        case SIGCHLD:
          if (int status; child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
          break;
        default: break;
      }
      if (wanted_ && child_ <= 0 && begin_again()) call_itself(port_proxy_name);
    }
  }

 private:
  static void call_itself(const char* name) { ::prctl(PR_SET_NAME, name); }

  int next_signal() const {
    // The port may be somebody else's for a moment.
    return wanted_ && child_ <= 0 ? ::sigtimedwait(&signals_, nullptr, &until_next_try)
                                  : ::sigwaitinfo(&signals_, nullptr);
  }

  // Its answer goes to that descriptor.
  pid_t start(int answer) {
    std::vector<char*> words{program_.data()};
    for (std::string& arg : args_) words.push_back(arg.data());
    words.push_back(nullptr);
    const pid_t self = ::getpid(), child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != self) ::_exit(1);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    const bool is_there = answer == answer_fd ? ::fcntl(answer, F_SETFD, 0) == 0 : ::dup2(answer, answer_fd) >= 0;
    if (is_there) ::execv(program_.c_str(), words.data());
    complain_errno("cannot execute " + program_);
    ::_exit(126);
  }

  void end() {
    if (child_ > 0 && ::kill(child_, SIGTERM) == 0)
      while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
      }
    child_ = 0;
    // Its SIGCHLD is no news, and would cut the wait for the next try short.
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    constexpr timespec at_once{};
    (void)::sigtimedwait(&ended, nullptr, &at_once);
  }

  bool begin_again() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    const unique_fd reading(ends[0]);
    {
      const unique_fd writing(ends[1]);
      child_ = start(writing.get());
    }
    char answer[2] = "";
    pollfd ready{reading.get(), POLLIN, 0};
    if (child_ > 0 && ::poll(&ready, 1, answer_limit_ms) == 1 && ::read(reading.get(), answer, 2) == 2 &&
        answer[0] == '0')
      return true;
    end();
    return false;
  }

  std::string program_;
  std::vector<std::string> args_;
  sigset_t signals_{}, before_{};
  pid_t child_ = 0;
  bool wanted_ = true;
};

}  // namespace

int run_port_proxy(int argc, char** argv) {
  std::string real = find_real_program("docker-proxy");
  if (real.empty()) {
    constexpr std::string_view why = "1\nthere is no docker-proxy in this sandbox";
    (void)!::write(answer_fd, why.data(), why.size());
    return 127;
  }
  std::vector<std::string> args(argv + 1, argv + argc);
  // What asks for its version and the like has no dockerd that waits for an answer.
  if (std::none_of(args.begin(), args.end(), [](const std::string& arg) { return is_flag(arg, "host-port"); })) {
    argv[0] = real.data();
    ::execv(real.c_str(), argv);
    complain_errno("cannot execute " + real);
    return 126;
  }
  return port_proxy(std::move(real), std::move(args)).run();
}

}  // namespace berth::guest
