#include "monitor.hpp"

#include "attached.hpp"
#include "channel.hpp"
#include "keeper.hpp"
#include "lifetime.hpp"
#include "log_file.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/unique_fd.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

// Watches the launcher's end: an answer means that the sandbox is known; its end before that, that nobody knows of it.
class launcher_watch {
 public:
  launcher_watch(asio::any_io_executor loop, int channel, interrupts& signals)
      : stream_(loop, ::fcntl(channel, F_DUPFD_CLOEXEC, 0)), channel_(channel), signals_(signals) {
    next();
  }
  bool lost() const { return lost_; }

 private:
  void next() {
    stream_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& ec) {
      if (ec) return;
      char answer;
      ssize_t n = ::recv(channel_, &answer, 1, MSG_DONTWAIT);
      // An end that closes with log lines unread leaves an error behind, in front of what it had sent.
      if (n < 0 && errno == ECONNRESET) n = ::recv(channel_, &answer, 1, MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return next();
      if (n > 0) return;  // it knows; what becomes of it is no longer our concern
      lost_ = true;
      signals_.raise(SIGTERM);
    });
  }
  asio::posix::stream_descriptor stream_;
  int channel_;
  interrupts& signals_;
  bool lost_ = false;
};

// The monitor's own log, from the moment that there is a directory for it.
struct monitor_log {
  int channel = -1;
  std::optional<log_file> file;

  void write(const log_event& event) {
    monitor_event out;
    out.what = monitor_event::kind::log;
    out.log = event;
    send_event(channel, out);
    if (file) file->write_line(format_log(event, log_format::json));
  }
};

void send_failure(int channel, error why, int exit_code) {
  monitor_event event;
  event.what = monitor_event::kind::failed;
  event.failure = std::move(why);
  event.exit_code = exit_code;
  send_event(channel, event);
}

error interrupted_error() { return make_error(errc::cancelled, "cli", "interrupted; the sandbox was removed again"); }

// The command of `run -d -- CMD`, with its output in a file.
asio::awaitable<void> run_command_to_log(std::shared_ptr<keeper> kept, interrupts& signals, const log_sink& sink) {
  command what;
  what.argv = kept->plan().command;
  what.user = kept->plan().user;
  attached_options options;
  options.grace = seconds(10);
  stdio_options io;
  io.capture_limit = 1;
  auto output = std::make_shared<std::optional<log_file>>();
  if (auto file = log_file::open(kept->box().record().logs() + "/command.log")) output->emplace(std::move(*file));
  io.on_data = [output](output_stream, std::string_view data) {
    if (*output) (*output)->write(data);
  };
  options.io = std::move(io);
  kept->command_started();
  auto ended = co_await run_attached(kept->box(), std::move(what), signals, std::move(options));
  if (ended) {
    kept->command_ended(*ended);
    log(sink, log_level::info, "command ended", {{"status", ended->to_string()}});
  } else {
    if (*output) (*output)->write_line("berth: " + ended.error().to_string());
    exit_status failed;
    failed.code = exit_failed;
    kept->command_ended(failed);
    log(sink, log_level::error, "command failed", {{"error", ended.error().to_string()}});
  }
}

// Until its lifetime is over, somebody ends it, or it ends by itself. True when it is to be removed.
asio::awaitable<bool> keep_until_end(std::shared_ptr<keeper> kept, bool docker_failed, interrupts& signals,
                                     const lifetime& life, const log_sink& sink) {
  if (signals.first() == 0 && kept->plan().command.empty()) {
    const auto ended = co_await until_interrupted(kept->box().wait_stopped(), signals);
    if (signals.first() == 0) {
      co_await kept->stop_docker();
      log(sink, log_level::error, "the sandbox ended by itself",
          {{"reason", ended ? std::string("its first process is gone") : ended.error().to_string()}});
      co_return false;
    }
  } else if (signals.first() == 0 && !docker_failed) {
    co_await run_command_to_log(kept, signals, sink);
  }
  if (life.over()) log(sink, log_level::info, "the sandbox's lifetime is over");
  else if (signals.first() != 0) co_return true;
  const auto stopped = co_await kept->stop();
  if (!stopped) log(sink, log_level::error, "cannot stop the sandbox", {{"error", stopped.error().to_string()}});
  co_return false;  // its record, status and output stay until they are removed
}

asio::awaitable<int> monitor(run_plan plan, monitor_log& journal, int channel) {
  const auto loop = co_await asio::this_coro::executor;
  interrupts signals(loop);
  const launcher_watch launcher(loop, channel, signals);
  const log_sink sink = plan.where.log;
  const bool wait = plan.wait;

  auto made = co_await until_interrupted(keeper::create(std::move(plan)), signals);
  if (!made) {
    if (signals.first() != 0) {
      send_failure(channel, interrupted_error(), 128 + signals.first());
    } else {
      send_failure(channel, made.error(), exit_code_of(made.error()));
    }
    co_return exit_failed;
  }
  const std::shared_ptr<keeper> kept = std::move(*made);
  const lifetime life(loop, kept->plan().lifetime, signals);
  if (auto file = log_file::open(kept->box().record().logs() + "/monitor.log")) journal.file.emplace(std::move(*file));
  // What we might print from here on (an assertion, a sanitizer) belongs in the log too.
  const unique_fd own(::open((kept->box().record().logs() + "/monitor.log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (own) {
    ::dup2(own.get(), STDOUT_FILENO);
    ::dup2(own.get(), STDERR_FILENO);
  }
  monitor_event created;
  created.what = monitor_event::kind::created;
  created.id = kept->box().id();
  send_event(channel, created);

  std::optional<error> failure;
  if (kept->plan().docker && signals.first() == 0) {
    const auto ready = co_await until_interrupted(kept->start_docker(), signals);
    if (!ready && signals.first() == 0) failure = ready.error();
  }
  if (!failure && signals.first() == 0) {
    monitor_event ready;
    ready.what = monitor_event::kind::ready;
    send_event(channel, ready);
  }
  if (life.over()) failure = lifetime::over_error();
  // With --wait a Docker that fails is a failed run, of which nothing is left.
  bool remove = failure && wait;
  if (!remove) remove = co_await keep_until_end(kept, failure.has_value(), signals, life, sink);
  remove = remove || launcher.lost();
  if (remove) {
    const auto gone = co_await kept->end();
    if (!gone) log(sink, log_level::error, "something of the sandbox could not be removed",
                   {{"error", gone.error().to_string()}});
    if (failure && wait && (signals.first() == 0 || life.over())) {
      send_failure(channel, *failure, exit_code_of(*failure));
    } else {
      send_failure(channel, interrupted_error(), 128 + signals.first());
    }
  }
  co_return exit_ok;
}

}  // namespace

int run_monitor(run_plan plan, int channel) {
  ::signal(SIGHUP, SIG_IGN);
  (void)!::chdir("/");  // so that no file system stays busy for our sake; paths are absolute by now
  monitor_log journal;
  journal.channel = channel;
  plan.where.log = [&journal](const log_event& event) { journal.write(event); };
  return run_loop(monitor(std::move(plan), journal, channel));
}

}  // namespace berth::cli
