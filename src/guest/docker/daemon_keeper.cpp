// SPDX-License-Identifier: Apache-2.0
#include "daemon_keeper.hpp"

#include "base/complain.hpp"
#include "base/unix_socket.hpp"
#include "nested_containers.hpp"

#include <berth/base/file.hpp>
#include <berth/docker/guest_daemon.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace berth::guest {
namespace {

namespace asio = boost::asio;

// Four such files, and what is beside them, fit the shared directory (20 MiB).
constexpr std::uint64_t log_limit = 4u << 20;
constexpr std::size_t most_said = 64, most_events = 64;

void say(const std::weak_ptr<connection>& to, const daemon_news& news) {
  if (const auto listener = to.lock()) listener->tell_daemon_news(format_daemon_news(news), news.done);
}

std::string data_root_of(const docker_plan_options& plan) {
  std::string root = plan.data_root;
  bool next = false;
  for (const std::string& arg : plan.dockerd_args) {
    if (next) root = arg;
    else if (arg.starts_with("--data-root=")) root = arg.substr(12);
    next = !next && (arg == "--data-root" || arg == "-g");
  }
  return root;
}

void say_done(const std::weak_ptr<connection>& to, const result<void>& outcome) {
  daemon_news news;
  news.done = true;
  if (!outcome) news.failed = outcome.error();
  say(to, news);
}

}  // namespace

daemon_keeper::daemon_keeper(std::string directory, event_loop& outer, std::function<result<unique_fd>()> connect)
    : directory_(std::move(directory)), executor_(std::move(connect)), watched_(outer) {}

bool daemon_keeper::take(std::weak_ptr<connection> from, std::string_view request) {
  auto what = parse_daemon_request(request);
  if (!what) {
    say_done(from, std::move(what).error());
    return false;
  }
  if (what->so_far) {
    for (const log_event& event : said_) {
      daemon_news before;
      before.log = event;
      say(from, before);
    }
    for (const sandbox_event& event : events_) {
      daemon_news before;
      before.event = event;
      say(from, before);
    }
  }
  listeners_.push_back({from, what->lines});
  switch (what->what) {
    case daemon_request::kind::start: {
      if (what->run && command_) {
        say_done(from, make_error(errc::state, "guest", "this sandbox was left with a command already"));
        return false;
      }
      const daemon_state now = status().docker.state;
      // One that is up, or on its way, is what was asked for.
      if (what->docker && now != daemon_state::starting && now != daemon_state::ready)
        make_supervisor(std::move(*what->docker));
      if (what->run) command_.emplace();
      asio::co_spawn(loop_, start(std::move(from), what->docker.has_value(), std::move(what->run)), asio::detached);
      return false;
    }
    case daemon_request::kind::stop: asio::co_spawn(loop_, stop(std::move(from)), asio::detached); return false;
    case daemon_request::kind::watch: {
      daemon_news now;
      now.status = status();
      say(from, now);
      return true;
    }
  }
  return false;
}

bool daemon_keeper::in_use() const {
  const bool has_command = command_ && command_->now != kept_command::state::exited;
  return has_command || starting() || (relay_ && relay_->in_use()) || runs_nested_containers();
}

std::chrono::steady_clock::time_point daemon_keeper::last_use() const {
  return relay_ ? std::max(last_change_, relay_->last_use()) : last_change_;
}

void daemon_keeper::make_supervisor(supervisor_options options) {
  // Those in the shared directory are ours to serve, from the first of the others.
  auto& sockets = options.plan.sockets;
  relay_.reset();
  const auto shared = std::find_if(sockets.begin(), sockets.end(),
                                   [this](const std::string& one) { return one.starts_with(directory_ + "/"); });
  if (shared != sockets.end()) {
    const std::string outside = *shared;
    std::erase_if(sockets, [this](const std::string& one) { return one.starts_with(directory_ + "/"); });
    if (sockets.empty()) sockets.emplace_back("/var/run/docker.sock");
    relay_ = std::make_unique<relay>(watched_, outside, [to = sockets.front()] { return connect_to(to); });
  }
  // Where dockerd is seen by us: by the last of its sockets, which plan_docker has it serve first. The others are bound by then,
  // and who connects to them waits for some 30 ms at most.
  options.host_socket = sockets.back();
  data_root_ = data_root_of(options.plan);
  const std::string own = guest_directory;
  if ((::mkdir("/run", 0755) == 0 || errno == EEXIST) && (::mkdir(own.c_str(), 0700) == 0 || errno == EEXIST)) {
    options.notify_path = own + "/notify";
    if (!inbox_)
      inbox_ = std::make_unique<event_inbox>(loop_.get_executor(), [this](std::string container, std::uint64_t limit) {
        sandbox_event event;
        event.what = sandbox_event::kind::container_out_of_memory;
        event.message = "container " + container + " was over its memory limit of " + std::to_string(limit >> 20) +
                        " MiB and is killed";
        event.container = std::move(container);
        tell_event(std::move(event));
      });
  }
  options.log = [this](const log_event& event) {
    if (said_.size() == most_said) said_.pop_front();
    said_.push_back(event);
    daemon_news news;
    news.log = event;
    tell(news);
  };
  said_.clear();
  options.on_daemon_line = [this](output_stream which, std::string_view line) {
    if (auto* log = open_log(log_, guest_daemon_log_name)) log->write_line(line);
    bool wanted = false;
    for (const listener& one : listeners_) wanted = wanted || one.lines;
    if (!wanted) return;
    daemon_news news;
    news.line.emplace(which, line);
    tell(news, true);
  };
  supervisor_ = std::make_shared<daemon_supervisor>(loop_.get_executor(), executor_, std::move(options));
  asio::co_spawn(loop_, follow(supervisor_), asio::detached);
}

asio::awaitable<void> daemon_keeper::start(std::weak_ptr<connection> from, bool docker, std::optional<command> run) {
  result<void> outcome;
  if (docker) {
    const std::shared_ptr<daemon_supervisor> held = supervisor_;
    outcome = co_await held->start();
  }
  if (run && outcome && !stopped_) command_->now = kept_command::state::running;
  publish();
  say_done(from, outcome);
  if (!run) co_return;
  if (outcome && !stopped_) {
    auto running = run_command(std::move(*run));
    co_await std::move(running);
  }
  // The sandbox was for this command.
  if (const std::shared_ptr<daemon_supervisor> held = supervisor_) (void)co_await held->stop();
  publish();
  over_ = true;
  loop_.stop();
}

asio::awaitable<void> daemon_keeper::run_command(command what) {
  stdio_options io;
  io.capture_limit = 1;
  io.on_data = [this](output_stream, std::string_view data) {
    if (auto* log = open_log(command_log_, guest_command_log_name)) log->write(data);
  };
  (void)open_log(command_log_, guest_command_log_name);  // there, though nothing be said
  auto starting = executor_.start(std::move(what), std::move(io));
  auto started = co_await std::move(starting);
  result<exit_status> ended = make_error(errc::state, "guest", "stopped before it was started");
  if (started && !stopped_) {
    running_ = std::move(*started);
    const auto held = running_;
    auto waiting = held->wait(time_point::max());
    ended = co_await std::move(waiting);
    running_.reset();
  } else if (!started) {
    ended = std::move(started).error();
  }
  if (!ended) {
    if (auto* log = open_log(command_log_, guest_command_log_name))
      log->write_line("berth: " + ended.error().to_string());
  }
  command_->now = kept_command::state::exited;
  command_->exit_code = ended ? ended->shell_code() : 1;
  publish();
}

asio::awaitable<void> daemon_keeper::stop(std::weak_ptr<connection> from) {
  stopped_ = command_.has_value();
  if (const auto running = running_) {
    auto asking = running->signal(SIGTERM);
    (void)co_await std::move(asking);
    auto waiting = running->wait(deadline_after(seconds(10)));
    const auto ended = co_await std::move(waiting);
    if (!ended) {
      auto killing = running->signal(SIGKILL);
      (void)co_await std::move(killing);
    }
  }
  const std::shared_ptr<daemon_supervisor> held = supervisor_;
  result<void> outcome;
  if (held) outcome = co_await held->stop();
  publish();
  say_done(from, outcome);
}

asio::awaitable<void> daemon_keeper::follow(std::shared_ptr<daemon_supervisor> whom) {
  for (daemon_state last = daemon_state::disabled; whom == supervisor_;) {
    const daemon_status now = co_await whom->wait_change(last);
    if (whom != supervisor_) break;
    if (auto event = event_of_change(last, now)) tell_event(std::move(*event));
    last = now.state;
    publish();
  }
}

void daemon_keeper::tell(const daemon_news& news, bool is_line) {
  std::erase_if(listeners_, [](const listener& one) {
    const auto who = one.who.lock();
    return !who || who->closed();
  });
  const std::vector<listener> all = listeners_;  // one that breaks is taken out
  for (const listener& one : all) {
    if (!is_line || one.lines) say(one.who, news);
  }
}

void daemon_keeper::tell_event(sandbox_event event) {
  using std::chrono::system_clock;
  event.at_ms = std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  if (events_.size() == most_events) events_.pop_front();
  events_.push_back(event);
  daemon_news news;
  news.event = std::move(event);
  tell(news);
}

guest_status daemon_keeper::status() const {
  guest_status out;
  if (supervisor_) out.docker = supervisor_->status();
  out.command = command_;
  return out;
}

void daemon_keeper::retreat() {
  retreated_ = true;
  if (relay_) relay_->close();
  layers_.reset();  // what came meanwhile is seen when we are back
  log_.reset();
  command_log_.reset();
}

void daemon_keeper::come_back(bool restored) {
  retreated_ = false;
  // The directory of a copy is an empty one.
  if (restored) {
    (void)open_log(log_, guest_daemon_log_name);
    if (command_) (void)open_log(command_log_, guest_command_log_name);
  }
  publish();
}

log_file* daemon_keeper::open_log(std::optional<log_file>& log, std::string_view name) {
  if (retreated_) return nullptr;
  if (!log) {
    auto opened = log_file::open(path_of(name), "guest", log_limit);
    if (opened) log.emplace(std::move(*opened));
  }
  return log ? &*log : nullptr;
}

void daemon_keeper::serve_docker() {
  if (!relay_ || retreated_) return;
  // Who had it before goes on while dockerd does: a reload of its configuration, a health check that failed once.
  const daemon_state now = status().docker.state;
  if (now != daemon_state::ready) relay_->stop_listening();
  else if (!relay_->listen()) complain_errno("cannot listen for Docker's clients");
}

void daemon_keeper::follow_layers() {
  if (status().docker.state != daemon_state::ready) layers_.reset();
  else if (!layers_) layers_.emplace(loop_.get_executor(), data_root_);
}

void daemon_keeper::publish() {
  last_change_ = std::chrono::steady_clock::now();
  if (retreated_) return;  // it is told when we are back
  follow_layers();
  serve_docker();
  daemon_news news;
  news.status = status();
  // A status that cannot be written is asked for by those who need it.
  (void)replace_file(path_of(guest_status_name), format_guest_status(*news.status), 0600, "guest");
  tell(news);
}

void daemon_keeper::run(event_loop& outer) {
  if (!outer_) {
    const int own = ::dup(outer.fd());
    if (own < 0) return outer.step(true);
    outer_ = std::make_unique<asio::posix::stream_descriptor>(loop_, own);
  }
  step(outer);
  if (!outer.stopped()) loop_.run();
  if (over_) outer.stop();
}

void daemon_keeper::watch(event_loop& outer) {
  outer_->async_wait(asio::posix::stream_descriptor::wait_read, [this, &outer](const boost::system::error_code& ec) {
    if (!ec) step(outer);
  });
}

void daemon_keeper::step(event_loop& outer) {
  outer.step(false);
  if (outer.stopped()) return loop_.stop();
  // What is put off comes one at a time, and in between whatever else is ready.
  if (outer.has_more()) asio::post(loop_, [this, &outer] { step(outer); });
  else watch(outer);
}

}  // namespace berth::guest
