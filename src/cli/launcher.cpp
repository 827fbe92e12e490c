#include "channel.hpp"
#include "monitor.hpp"
#include "progress.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/spawn.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>

namespace berth::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void note_signal(int signo) { interrupted = signo; }

result<unique_fd> make_memory_file(const char* name, std::string_view content) {
  unique_fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return errno_error(errno, "cli", "cannot make a file in memory");
  if (const int failed = write_all(fd.get(), content); failed != 0)
    return errno_error(failed, "cli", "cannot write a file in memory");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string read_from_start(int fd) {
  std::string out(64 * 1024, '\0');
  const ssize_t n = ::pread(fd, out.data(), out.size(), 0);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

std::string own_program() {
  char path[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path);
  if (n > 0 && static_cast<std::size_t>(n) < sizeof path) {
    std::string out(path, static_cast<std::size_t>(n));
    if (::access(out.c_str(), X_OK) == 0) return out;
  }
  return "/proc/self/exe";  // replaced on disk since we were started
}

// What the monitor needs of our environment; it lives long, and secrets in ours are none of its business.
std::vector<std::string> monitor_environment() {
  std::vector<std::string> out;
  for (std::string& variable : own_environment()) {
    for (const std::string_view name : {"PATH=", "HOME=", "LANG=", "TMPDIR=", "BERTH_"})
      if (variable.starts_with(name)) {
        out.push_back(std::move(variable));
        break;
      }
  }
  return out;
}

struct monitor_process {
  child process;
  unique_fd channel;
  unique_fd crash_output;
};

result<monitor_process> start_monitor(const invocation& call) {
  auto pair = make_channel();
  if (!pair) return std::move(pair).error();
  std::string words;
  for (const std::string& word : call.arguments) words += word + '\0';
  auto words_file = make_memory_file("berth-run", words);
  if (!words_file) return std::move(words_file).error();
  auto crash_output = make_memory_file("berth-monitor-output", "");
  if (!crash_output) return std::move(crash_output).error();
  spawn_options options;
  options.argv = {own_program(), "monitor"};
  options.env = monitor_environment();
  options.new_session = true;
  options.new_group = false;  // setsid makes one
  options.fds = {{crash_output->get(), 1}, {crash_output->get(), 2}, {pair->monitor.get(), monitor_channel_fd},
                 {words_file->get(), monitor_words_fd}};
  auto started = spawn(options);
  if (!started) return std::move(started).error();
  return monitor_process{std::move(*started), std::move(pair->launcher), std::move(*crash_output)};
}

siginfo_t wait_for_end(const monitor_process& monitor) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(monitor.process.pidfd.get()), &info, WEXITED) != 0)
    if (errno != EINTR) return {};
  return info;
}

// The monitor ended without a word: it crashed, or was killed.
error silent_end(const monitor_process& monitor, const siginfo_t& info) {
  std::string how = "ended";
  if (info.si_pid != 0)
    how = info.si_code == CLD_EXITED ? "ended with exit code " + std::to_string(info.si_status)
                                     : "was ended by signal " + std::to_string(info.si_status);
  error e = make_error(errc::process_exited, "cli", "the sandbox's monitor " + how + " before it was ready", {},
                       "berth gc removes what it left");
  e.detail = read_from_start(monitor.crash_output.get());
  while (e.detail.ends_with('\n')) e.detail.pop_back();
  return e;
}

// The monitor takes everything down then, and says so.
void hang_up(const monitor_process& monitor, progress& bar) {
  ::shutdown(monitor.channel.get(), SHUT_WR);
  bar.start("taking the sandbox down");
}

// Reads events until one settles it. The error's exit code goes to `exit_code`.
result<std::string> follow_monitor(const monitor_process& monitor, const run_plan& plan, progress& bar, bool hung_up,
                                   int& exit_code) {
  const log_sink sink = bar.sink();
  std::string id;
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    if (interrupted != 0 && !hung_up) {
      hung_up = true;  // a second signal ends us at once
      hang_up(monitor, bar);
      interrupted = 0;
    } else if (interrupted != 0) {
      exit_code = 128 + interrupted;
      return make_error(errc::cancelled, "cli", "interrupted; the monitor goes on taking the sandbox down");
    }
    struct pollfd wait{monitor.channel.get(), POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(progress::interval.count())) <= 0) {
      bar.tick();
      continue;
    }
    const ssize_t n = ::recv(monitor.channel.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return silent_end(monitor, wait_for_end(monitor));
    auto event = decode_event({buffer.data(), static_cast<std::size_t>(n)});
    if (!event) return std::move(event).error();
    switch (event->what) {
      case monitor_event::kind::log: sink(event->log); break;
      case monitor_event::kind::created:
        id = event->id;
        if (!plan.wait && !hung_up) return id;
        if (plan.docker && !hung_up) bar.start("waiting for the docker daemon");
        break;
      case monitor_event::kind::ready:
        if (!hung_up) return id;
        break;
      case monitor_event::kind::failed: exit_code = event->exit_code; return std::move(event->failure);
    }
  }
}

}  // namespace

int run_detached(const run_plan& plan, const invocation& call) {
  struct sigaction action{};
  action.sa_handler = note_signal;
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present;
    if (::sigaction(signo, nullptr, &present) == 0 && present.sa_handler != SIG_IGN) ::sigaction(signo, &action, nullptr);
  }
  auto monitor = start_monitor(call);
  if (!monitor) return fail(monitor.error(), call);
  progress bar(call.common.output());
  int exit_code = exit_failed;
  const auto id = follow_monitor(*monitor, plan, bar, false, exit_code);
  bar.stop();
  if (!id) {
    (void)fail(id.error(), call);
    return exit_code;
  }
  if (!(call.common.json ? print_json(json::object().set("id", *id)) : print_text(*id + "\n"))) {
    hang_up(*monitor, bar);
    (void)follow_monitor(*monitor, plan, bar, true, exit_code);
    bar.stop();
    return fail(make_error(errc::io, "cli", "the id could not be printed; the sandbox is removed again", *id), call);
  }
  // From here on the sandbox is the user's.
  if (::send(monitor->channel.get(), "k", 1, MSG_NOSIGNAL) == 1) return exit_ok;
  // A short command may have ended by now, and its monitor with it.
  const siginfo_t end = wait_for_end(*monitor);
  return end.si_code == CLD_EXITED && end.si_status == exit_ok ? int{exit_ok} : fail(silent_end(*monitor, end), call);
}

std::optional<std::vector<std::string>> take_monitor_words() {
  struct stat info;
  if (::fstat(monitor_channel_fd, &info) != 0 || !S_ISSOCK(info.st_mode)) return std::nullopt;
  if (::fstat(monitor_words_fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > (16 << 20)) return std::nullopt;
  ::fcntl(monitor_channel_fd, F_SETFD, FD_CLOEXEC);
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  if (::pread(monitor_words_fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return std::nullopt;
  ::close(monitor_words_fd);
  std::vector<std::string> out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace berth::cli
