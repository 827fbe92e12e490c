// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/file.hpp>
#include <berth/base/hints.hpp>
#include <berth/base/token.hpp>
#include <berth/base/users.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/process.hpp>
#include <berth/sandbox/detail/exec_process.hpp>
#include <berth/sandbox/detail/host_resources.hpp>
#include <berth/sandbox/detail/obstacle.hpp>
#include <berth/sandbox/detail/runsc_client.hpp>
#include <berth/sandbox/sandbox.hpp>
#include <berth/spec/json.hpp>

#include <berth/impl/sandbox/exec_by_guest.ipp>
#include <berth/impl/sandbox/pause.ipp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

namespace berth {

namespace detail {

/// The message of runsc's own error in a --log file of JSON lines, or empty: then the exit code is the command's.
inline std::string read_runsc_error(const std::string& path) {
  const auto read = read_file(path, 1u << 20, "sandbox");
  if (!read) return {};
  const std::string& text = *read;
  // Lines may follow one another without a newline; the first object is the error.
  const std::size_t end = text.find("}{");
  std::string_view line = std::string_view(text).substr(0, end == std::string::npos ? text.find('\n') : end + 1);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty()) return {};
  const auto object = parsed_json::parse(line);
  if (!object) return std::string(line);
  return std::string(object->root()["msg"].text().value_or(line));
}

/// The shell's code for a command that runsc could not start, or nothing when that was not the reason. Pure.
inline std::optional<int> start_failure_code(std::string_view message) {
  const auto has = [&](const char* part) { return message.find(part) != std::string_view::npos; };
  if (has("failed to find initial working directory")) return 126;
  if (!has("failed to load") && !has("error finding executable")) return std::nullopt;
  return has("no such file or directory") ? 127 : 126;
}

/// A foreground `runsc exec` and the command behind it.
class sandbox_command final : public running_command {
 public:
  struct files {
    std::string pid;  // the command's pid inside, once it runs
    std::string log;  // runsc's own error
    void remove() const {
      ::unlink(pid.c_str());
      ::unlink(log.c_str());
    }
  };

  /// `keep` owns the directory of the files: it is held until the command has been ended, which goes on after destruction.
  sandbox_command(process client, runsc_client runsc, process_identity sandbox_process, files where,
                  std::shared_ptr<const void> keep)
      : client_(std::move(client)),
        runsc_(std::move(runsc)),
        sandbox_process_(sandbox_process),
        files_(std::move(where)),
        keep_(std::move(keep)) {}

  sandbox_command(const sandbox_command&) = delete;
  sandbox_command& operator=(const sandbox_command&) = delete;
  ~sandbox_command() override {
    if (!client_) return;
    if (client_->status()) {
      files_.remove();
      return;
    }
    boost::asio::co_spawn(
        executor_, end_inside(std::move(*client_), std::move(runsc_), sandbox_process_, files_, pid_, std::move(keep_)),
        boost::asio::detached);
  }

  void set_executor(boost::asio::any_io_executor executor) { executor_ = std::move(executor); }
  /// The record of a sandbox of berth's, for what is to be said when it ended under the command.
  void set_owner(sandbox_record owner) { owner_ = std::move(owner); }

  boost::asio::awaitable<result<exit_status>> wait(time_point deadline) override {
    auto ended = co_await client_->wait(deadline);
    if (!ended) co_return ended;
    if (!outcome_) {
      // A client that has lost its sandbox is quicker than the kernel, which takes a moment to clear the process away.
      for (int i = 0; i < 40 && lost_its_sandbox() && sandbox_process_.alive(); ++i) {
        auto nap = pause_for(milliseconds(25));
        if (!co_await std::move(nap)) break;
      }
      outcome_ = judge(*ended);
    }
    co_return *outcome_;
  }

  boost::asio::awaitable<result<void>> signal(int signo) override {
    return cancellation_as_error(send_signal(*client_, runsc_, files_.pid, pid_, signo));
  }

  boost::asio::awaitable<result<void>> write(std::string_view data) override { return client_->write(data); }
  void close_stdin() override { client_->close_stdin(); }
  std::string output(output_stream which) const override { return client_->output(which); }

  std::optional<exit_status> status() const override {
    const auto ended = client_->status();
    if (!ended) return std::nullopt;
    const auto outcome = outcome_ ? *outcome_ : judge(*ended);
    return outcome ? *outcome : *ended;
  }

  pid_t pid() const override { return pid_ != 0 ? pid_ : read_pid_file(files_.pid); }

  /// Takes the client away and leaves the command: its streams are files of the host's, which the sandbox holds itself, and
  /// nobody asks for its status. Gives the pid inside. errc::state when the client has ended before.
  boost::asio::awaitable<result<pid_t>> let_go() {
    const time_point deadline = deadline_after(seconds(30));
    auto found = co_await find_pid(*client_, files_.pid, pid_, deadline);
    if (found) {
      auto ended = co_await client_->stop(duration::zero());
      client_.reset();
      files_.remove();
    }
    co_return found;
  }

 private:
  bool lost_its_sandbox() const {
    const std::string message = read_runsc_error(files_.log);
    return !message.empty() && !start_failure_code(message);
  }

  result<exit_status> judge(exit_status ended) const {
    if (ended.success()) return ended;
    const std::string message = read_runsc_error(files_.log);
    if (message.empty()) return ended;  // the command's own status
    if (const auto code = start_failure_code(message)) return exit_status{*code, 0};
    if (!sandbox_process_.alive()) {
      error e = owner_ ? not_running_error(*owner_, "the sandbox ended while the command ran")
                       : make_error(errc::sandbox_not_running, "sandbox", "the sandbox ended while the command ran",
                                    runsc_.id);
      e.detail = message;
      return e;
    }
    return make_error(errc::runsc_failed, "sandbox", "runsc exec: " + message, runsc_.id, find_obstacle("/"));
  }

  /// The pid inside, which runsc writes once the command runs. errc::state when the client ended before, errc::timeout
  /// when the sandbox does not answer runsc.
  static boost::asio::awaitable<result<pid_t>> find_pid(process& client, const std::string& pid_file, pid_t& pid,
                                                        time_point deadline) {
    milliseconds pause(1);
    while (pid == 0) {
      pid = read_pid_file(pid_file);
      if (pid != 0) break;
      if (client.status()) co_return make_error(errc::state, "sandbox", "the command has ended");
      if (clock::now() >= deadline) {
        co_return make_error(errc::timeout, "sandbox", "the sandbox has not started the command");
      }
      const bool waited = co_await pause_for(pause);
      // Asked for as well: a cancellation in the turn in which the pause was over reaches no operation.
      const bool cancelled = co_await was_cancelled();
      if (!waited || cancelled) co_return make_error(errc::cancelled, "sandbox", "cancelled");
      pause = std::min(pause * 2, milliseconds(20));
    }
    co_return pid;
  }

  static boost::asio::awaitable<result<void>> send_signal(process& client, const runsc_client& runsc,
                                                          std::string pid_file, pid_t& pid, int signo) {
    if (client.status()) co_return make_error(errc::state, "sandbox", "the command has ended");
    // A sandbox that is stuck answers nothing. Its client at least can be ended, so that nobody waits for it any longer.
    const bool for_good = signo == SIGKILL;
    const duration patience = for_good ? seconds(10) : seconds(30);
    const time_point pid_deadline = deadline_after(patience);
    auto found = co_await find_pid(client, pid_file, pid, pid_deadline);
    if (!found) {
      if (for_good && found.error().code == errc::timeout) co_return client.signal(SIGKILL);
      co_return std::move(found).error();
    }
    runsc_kill_options kill;
    kill.signal = signo;
    // A command started by exec leads a group of its own. SIGKILL cannot be passed on to its children by the command
    // itself, so it goes to all of them.
    if (signo == SIGKILL) kill.pgid = *found;
    else kill.pid = *found;
    auto argv = runsc_kill_argv(runsc.binary, runsc.globals, runsc.id, kill);
    if (!argv) co_return std::move(argv).error();
    const time_point deadline = deadline_after(patience);
    auto sent = co_await run_runsc(std::move(*argv), deadline);
    if (sent) co_return result<void>();
    if (for_good && clock::now() >= deadline) (void)client.signal(SIGKILL);
    error e = std::move(sent).error();
    if (e.message.find("no such process") != std::string::npos || client.status()) {
      e = make_error(errc::state, "sandbox", "the command has ended");
    }
    co_return e;
  }

  static boost::asio::awaitable<void> end_inside(process client, runsc_client runsc, process_identity sandbox_process,
                                                 files where, pid_t pid, std::shared_ptr<const void> keep) {
    if (sandbox_process.alive()) {
      auto sent = co_await send_signal(client, runsc, where.pid, pid, SIGKILL);
      if (sent) {
        const time_point deadline = deadline_after(seconds(10));
        auto gone = co_await client.wait(deadline);
      }
    }
    where.remove();
    keep.reset();
  }

  std::optional<process> client_;
  runsc_client runsc_;
  process_identity sandbox_process_;
  files files_;
  std::shared_ptr<const void> keep_;
  boost::asio::any_io_executor executor_;
  pid_t pid_ = 0;
  std::optional<sandbox_record> owner_;
  std::optional<result<exit_status>> outcome_;
};

}  // namespace detail

BERTH_DECL result<void> sandbox::check_running() {
  if (record_.damaged) return detail::damaged_record(record_.damage);
  const auto going_on = [this]() -> result<void> {
    return is_paused() ? result<void>(detail::paused_error(record_)) : result<void>();
  };
  if (record_.is_up()) return going_on();
  BERTH_TRY(read_record_again());  // it may have come up, or be gone, since it was last read
  if (record_.phase == record_phase::creating) {
    return make_error(errc::sandbox_not_running, "sandbox", "the sandbox is not up yet", record_.id, "try again");
  }
  if (record_.is_up()) return going_on();
  if (record_.is_hibernated()) return detail::paused_error(record_);
  return detail::not_running_error(record_, "the sandbox does not run any more",
                                   "its log is " + record_.init_log() + "; " + hints::remove_sandbox(record_.id));
}

BERTH_DECL result<sandbox::exec_call> sandbox::make_exec(const command& what, bool terminal,
                                                         const std::string& pid_file, const std::string& log_file) {
  auto binary = runsc();
  if (!binary) return std::move(binary).error();
  if (!process_) {
    auto found = detail::container_process::read(record_.bundle());
    if (!found) return std::move(found).error();
    process_ = std::move(*found);
  }
  std::optional<detail::exec_user> who;
  if (!what.user.empty()) {
    auto user = find_user(what.user, record_.rootfs);
    if (!user) return std::move(user).error();
    who = detail::exec_user{user->uid, user->gid, std::move(user->groups)};
  }
  auto text = detail::exec_process_text(*process_, what, who, terminal);
  if (!text) return std::move(text).error();
  auto file = memory_file("berth-exec", *text, "sandbox");
  if (!file) return std::move(file).error();
  runsc_exec_options exec;
  exec.process = detail::process_file_path;
  exec.internal_pid_file = pid_file;
  runsc_globals options = globals();
  options.net_raw = record_.net_raw;
  options.log = log_file;
  options.log_format = runsc_log_format::json;
  auto argv = runsc_exec_argv(*binary, options, record_.container_id(), exec);
  if (!argv) return std::move(argv).error();
  return exec_call{std::move(*argv), std::move(*file)};
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> sandbox::start_command(command what,
                                                                                                   stdio_options io) {
  // A use that the guest does not see: who puts it to sleep looks at this time once the marker is there, and this the other way
  // round, so that no command comes to a sandbox that is asleep.
  (void)::utimensat(AT_FDCWD, record_.exec_directory().c_str(), nullptr, 0);
  auto waking = be_awake();
  BERTH_CO_TRY(co_await std::move(waking));
  const std::string stem = record_.exec_directory() + "/" + random_token(13);
  const detail::sandbox_command::files files{stem + ".pid", stem + ".log"};
  const time_point patience = deadline_after(seconds(30));
  auto known = co_await runsc_by(patience);  // a binary that hangs must not block the loop
  if (!known) co_return std::move(known).error();
  auto call = make_exec(what, detail::is_on_terminal(io), files.pid, files.log);
  if (!call) co_return std::move(call).error();
  auto loop = co_await boost::asio::this_coro::executor;
  spawn_options options;
  options.argv = std::move(call->argv);
  options.env = minimal_environment();
  options.fds.push_back({call->process.get(), detail::process_file_fd});
  auto client = process::start(loop, std::move(options), std::move(io));
  call->process.reset();
  if (!client) co_return std::move(client).error();
  auto running =
      std::make_unique<detail::sandbox_command>(std::move(*client), detail::runsc_client::of(*runsc_, record_),
                                                record_.sandbox_process, files, shared_from_this());
  running->set_executor(loop);
  running->set_owner(record_);
  std::unique_ptr<running_command> started = std::move(running);
  co_return started;
}

BERTH_DECL boost::asio::awaitable<result<std::unique_ptr<running_command>>> sandbox::start(command what,
                                                                                           stdio_options io) {
  auto self = shared_from_this();
  auto waking = be_awake();
  BERTH_CO_TRY(co_await std::move(waking));
  BERTH_CO_TRY(detail::check_exec_command(what));
  if (goes_by_guest(what, io)) {
    auto attempting = attempt_by_guest(what, io);
    guest_attempt made = co_await std::move(attempting);
    if (made.running) {
      std::unique_ptr<running_command> by_guest =
          std::make_unique<detail::sandbox_guest_command>(std::move(made.running), record_);
      co_return by_guest;
    }
    if (made.asked || made.failed.code == errc::cancelled) co_return std::move(made.failed);
  }
  auto started = co_await start_command(std::move(what), std::move(io));
  co_return started;
}

BERTH_DECL boost::asio::awaitable<result<pid_t>> sandbox::start_detached(command what, std::string log_path) {
  auto self = shared_from_this();
  auto waking = be_awake();
  BERTH_CO_TRY(co_await std::move(waking));
  const unique_fd log(::open(log_path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log) co_return errno_error(errno, "sandbox", "cannot open the log", log_path);
  stdio_options io;
  io.out = stdio_options::output::fd;
  io.err = stdio_options::output::fd;
  io.out_fd = log.get();
  io.err_fd = log.get();
  auto started = co_await start_command(std::move(what), std::move(io));
  if (!started) co_return std::move(started).error();
  auto* running = static_cast<detail::sandbox_command*>(started->get());
  auto work = running->let_go();
  auto pid = co_await cancellation_as_error(std::move(work));
  if (!pid && pid.error().code == errc::state) {
    // It ended before it could be let go: that it ran and ended is not told apart from not having started but by the code.
    const time_point deadline = deadline_after(seconds(5));
    auto ended = co_await running->wait(deadline);
    if (!ended) co_return std::move(ended).error();
    error e = make_error(errc::process_exited, "sandbox", "the command ended at once with " + ended->to_string());
    auto text = read_file_end(log_path, 4096, "sandbox");
    if (text) e.detail = std::move(*text);
    co_return e;
  }
  co_return pid;
}

}  // namespace berth
