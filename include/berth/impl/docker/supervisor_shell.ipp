// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/token.hpp>
#include <berth/docker/daemon_probe.hpp>
#include <berth/docker/diagnose.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/impl/docker/daemon_probe.ipp>
#include <berth/impl/docker/daemon_run.ipp>
#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <functional>
#include <list>

namespace berth {

// The shell around daemon_fsm. Everything runs on the loop's thread. Each coroutine holds the impl alive; `closed` tells
// it that the supervisor is gone, after which it touches neither the executor nor the options' callbacks.
struct daemon_supervisor::impl : std::enable_shared_from_this<daemon_supervisor::impl> {
  using run_ptr = std::shared_ptr<detail::daemon_run>;
  using self_ptr = std::shared_ptr<impl>;

  impl(boost::asio::any_io_executor l, executor& w, supervisor_options o)
      : loop(l),
        where(w),
        options(std::move(o)),
        fsm(options.restart, options.ready_timeout),
        inside_logged(options.log_limit),
        daemon_lines(options.line_limit),
        pause_timer(l),
        launch_timer(l),
        gap_timer(l) {}

  boost::asio::any_io_executor loop;
  executor& where;
  supervisor_options options;
  daemon_fsm fsm;
  docker_plan plan;
  run_ptr run;
  std::string last_pid;        // of the dockerd started last, as its marker gave it
  rate_limiter inside_logged;  // the sandbox's words in our log
  rate_limiter daemon_lines;
  boost::asio::steady_timer pause_timer;
  boost::asio::steady_timer launch_timer;
  boost::asio::steady_timer gap_timer;  // until a gap in the sandbox's words can be told
  bool gap_timed = false;
  std::list<boost::asio::steady_timer> waiters;
  bool closed = false;
  bool coming_up = false;    // since a start was asked for, until it was ready or over
  std::size_t starters = 0;  // who wait for a start
  std::size_t stops = 0;     // calls of stop
  std::size_t ends = 0;      // times that it came to rest

  void say(log_level level, std::string message, std::vector<log_field> fields = {}) {
    for (log_field& field : fields)
      field.value.resize(std::min<std::size_t>(field.value.size(), 4000));  // some are the sandbox's
    if (!closed) log(options.log, level, std::move(message), std::move(fields));
  }

  // What the sandbox may cause as often as it likes.
  void say_inside(log_level level, std::string message, std::vector<log_field> fields = {}) {
    std::string_view what = message;
    for (const log_field& field : fields) what = field.value.size() > what.size() ? field.value : what;
    if (inside_logged.admit(what, clock::now())) say(level, std::move(message), std::move(fields));
    tell_gaps();
  }

  void show_line(output_stream which, std::string_view line) {
    if (!options.on_daemon_line) return;
    if (daemon_lines.admit(line, clock::now())) {
      tell_gap_in_lines();  // before what comes after it
      options.on_daemon_line(which, line);
    }
    tell_gaps();
  }

  void tell_gap_in_lines() {
    const dropped_lines gap = daemon_lines.take_dropped();
    if (gap.lines == 0) return;
    options.on_daemon_line(output_stream::err, "berth: " + std::to_string(gap.lines) + " lines, " +
                                                   std::to_string(gap.bytes) +
                                                   " bytes in all, were dropped here: dockerd printed too much");
    say(log_level::warn, "lines of the docker daemon's were dropped: it printed too many",
        {{"dropped", std::to_string(gap.lines)}, {"bytes", std::to_string(gap.bytes)}});
  }

  // Once a gap is over, or dockerd (`now`), one line tells of it.
  void tell_gaps(bool at_once = false) {
    if (closed) return;
    const auto over = [at_once](rate_limiter& what) {
      return what.dropped().lines > 0 && (at_once || what.has_room(clock::now()));
    };
    if (over(inside_logged)) {
      const dropped_lines gap = inside_logged.take_dropped();
      say(log_level::warn, "lines of the sandbox's were dropped from this log: it wrote too many",
          {{"dropped", std::to_string(gap.lines)}, {"bytes", std::to_string(gap.bytes)}});
    }
    if (over(daemon_lines)) tell_gap_in_lines();
    if (gap_timed || (inside_logged.dropped().lines == 0 && daemon_lines.dropped().lines == 0)) return;
    gap_timed = true;
    gap_timer.expires_after(seconds(1));
    gap_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
      const auto self = weak.lock();
      if (!self) return;
      self->gap_timed = false;
      if (!ec) self->tell_gaps();
    });
  }

  void say_not_stopped(std::string why) {
    say(log_level::warn, "containers could not be stopped one by one; the docker daemon stops them as it ends",
        {{"error", std::move(why)}});
  }

  void wake_waiters() {
    for (boost::asio::steady_timer& one : waiters) one.cancel();
  }

  void dispatch(const daemon_event_any& event) {
    if (closed) return;
    for (const daemon_action_any& action : fsm.on(event, clock::now()))
      std::visit([this](const auto& what) { perform(what); }, action);
  }

  // A place among those who are woken when something changes; also a coroutine that is destroyed where it waits, as at the
  // end of its io_context, gives it up.
  struct waiter {
    explicit waiter(self_ptr s) : self(std::move(s)), timer(self->waiters.emplace(self->waiters.end(), self->loop)) {}
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    ~waiter() { self->waiters.erase(timer); }
    self_ptr self;
    std::list<boost::asio::steady_timer>::iterator timer;
  };

  // Waits until `done()`, the deadline, cancellation or the end of the supervisor. Gives what stopped it: ok where done.
  // (A std::function, since a lambda's type in a coroutine's frame has no linkage, which g++ 12 warns of in headers.)
  static boost::asio::awaitable<errc> wait_for(self_ptr self, std::function<bool()> done, time_point deadline) {
    const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    const waiter mine(self);
    errc why = errc::ok;
    for (;;) {
      if (self->closed) {
        why = errc::closed;
      } else if (done()) {
        break;
      } else if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
        why = errc::cancelled;
      } else if (clock::now() >= deadline) {
        why = errc::timeout;
      }
      if (why != errc::ok) break;
      mine.timer->expires_at(deadline);
      boost::system::error_code ignored;
      co_await mine.timer->async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    co_return why;
  }

  bool settled() const {
    return fsm.state() != daemon_state::starting && fsm.state() != daemon_state::disabled && !fsm.ending();
  }

  daemon_status status() const {
    daemon_status out;
    out.state = fsm.state();
    out.pid = fsm.pid();
    out.ready_after = fsm.ready_after();
    out.restarts = fsm.restarts();
    out.failure = fsm.failure();
    return out;
  }

  // The public calls.
  static boost::asio::awaitable<result<void>> start(self_ptr self);
  static boost::asio::awaitable<result<void>> wait_ready(self_ptr self, time_point deadline);
  static boost::asio::awaitable<daemon_status> wait_change(self_ptr self, daemon_state state);
  static boost::asio::awaitable<result<void>> stop(self_ptr self);

  // One line of the start or of dockerd.
  void on_line(detail::daemon_run& of, output_stream which, std::string_view line) {
    if (closed) return;
    start_marker marker;
    if (which == output_stream::out && !of.start_over) marker = parse_start_marker(line, of.nonce);
    // What runs beside dockerd has two things to say. All else that comes once dockerd is there is dockerd's.
    using kind = start_marker::kind;
    if (of.launched && marker.what != kind::network && marker.what != kind::warning) marker = {};
    const std::string text = detail::inside_text(marker.text);
    switch (marker.what) {
      case start_marker::kind::none:
        of.tail.add(line);
        show_line(which, line);
        return;
      case start_marker::kind::missing: of.missing = true; return;
      case start_marker::kind::running:
        of.step_failed = "another dockerd runs in this sandbox already, pid " + text;
        return;
      case start_marker::kind::failed: of.step_failed = "preparing for dockerd failed: " + text; return;
      case start_marker::kind::warning: say_inside(log_level::warn, text); return;
      case start_marker::kind::stale:
        say_inside(log_level::debug, "removed what an earlier docker daemon left", {{"what", text}});
        return;
      case start_marker::kind::network:
        of.network_done = true;
        of.start_over = of.launched;
        wake_waiters();
        return;
      case start_marker::kind::pid:
        if (!run || run.get() != &of || of.over) return;
        last_pid = std::to_string(detail::parse_marker_pid(marker.text));
        of.launched = true;
        of.start_over = of.network_done;
        launch_timer.cancel();
        say(log_level::info, "docker daemon process started - waiting for daemon to be ready", {{"pid", last_pid}});
        dispatch(daemon_event::launched{detail::parse_marker_pid(marker.text)});
        return;
    }
  }

  void perform(const daemon_action::launch& what) {
    run = std::make_shared<detail::daemon_run>();
    run->nonce = random_token(20);
    if (!options.notify_path.empty() && !options.host_socket.empty()) {
      // A path of its own: the socket of the run before may still be there.
      auto notices = notify_socket::bind(loop, options.notify_path + "." + run->nonce.substr(0, 8));
      if (notices) run->notices.emplace(std::move(*notices));  // without it the API is asked, as it is anywhere else
    }
    // Until dockerd is there nothing is probed, and a sandbox that is stuck says nothing: the deadline has to be kept here.
    launch_timer.expires_at(what.ready_by);
    launch_timer.async_wait([self = shared_from_this(), of = run](const boost::system::error_code& ec) {
      if (ec || self->run != of || of->launched || of->over) return;
      self->dispatch(daemon_event::probe_gave_up{0, "the sandbox has not come so far as to start dockerd"});
    });
    say(log_level::info, "preparing to start docker daemon");
    boost::asio::co_spawn(loop, run_daemon(shared_from_this(), run),
                          boost::asio::bind_cancellation_slot(run->give_up_signal.slot(), boost::asio::detached));
  }
  void perform(const daemon_action::begin_probing& what) {
    run->probing = true;
    boost::asio::co_spawn(loop, probe_daemon(shared_from_this(), run, what.ready_by),
                          boost::asio::bind_cancellation_slot(run->end_probing_signal.slot(), boost::asio::detached));
  }
  void perform(const daemon_action::end_probing&) { run->end_probing(); }
  void perform(const daemon_action::restart_after& what) {
    say(log_level::warn, "docker daemon is restarted",
        {{"restart", std::to_string(what.number)},
         {"pause_ms", std::to_string(std::chrono::duration_cast<milliseconds>(what.pause).count())}});
    pause_timer.expires_at(what.at);
    pause_timer.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
      if (!ec) self->dispatch(daemon_event::pause_over{});
    });
  }
  void perform(const daemon_action::cancel_restart&) { pause_timer.cancel(); }
  void perform(const daemon_action::kill&) {
    boost::asio::co_spawn(loop, end_daemon(shared_from_this(), run, &impl::kill_daemon), boost::asio::detached);
  }
  void perform(const daemon_action::shut_down&) {
    boost::asio::co_spawn(loop, end_daemon(shared_from_this(), run, &impl::shut_down), boost::asio::detached);
  }
  void perform(const daemon_action::changed&) {
    if (fsm.idle()) {
      coming_up = false;
      ++ends;
    }
    wake_waiters();
  }
  void perform(const daemon_action::ready& what) {
    coming_up = false;
    say(log_level::info, "docker daemon is ready and accepting commands",
        {{"retry_count", std::to_string(what.retry_count)}});
    for (const diagnosis& known : diagnose_docker(run->tail.text()))
      if (known.what.id == "BERTH-VFS")
        say(log_level::warn, std::string(known.what.cause),
            {{"hint_id", "BERTH-VFS"}, {"hint", std::string(known.what.remedy)}});
  }
  void perform(const daemon_action::fail&) {
    daemon_failure& why = *fsm.failure();
    // That of an earlier run has its own already.
    if (why.tail.empty()) {
      why.tail = run->tail.text(20);
      const auto known =
          diagnose_docker(why.reason + "\n" + run->tail.text(), {options.plan.versions, options.plan.runsc_release});
      if (!known.empty()) {
        why.hint_id = known.front().what.id;
        why.hint = known.front().what.remedy;
      }
    }
    const error e = why.to_error();
    std::vector<log_field> fields = {{"phase", why.phase}, {"error", e.message}};
    if (!why.hint_id.empty()) fields.push_back({"hint_id", why.hint_id});
    if (!e.hint.empty()) fields.push_back({"hint", e.hint});
    say(log_level::error, "docker daemon failed", std::move(fields));
  }

  static boost::asio::awaitable<void> run_daemon(self_ptr self, run_ptr run);
  static boost::asio::awaitable<void> probe_daemon(self_ptr self, run_ptr run, time_point ready_by);
  using ending = boost::asio::awaitable<void> (*)(self_ptr, run_ptr);
  static boost::asio::awaitable<void> end_daemon(self_ptr self, run_ptr run, ending how);
  static boost::asio::awaitable<void> kill_daemon(self_ptr self, run_ptr run);
  static boost::asio::awaitable<void> shut_down(self_ptr self, run_ptr run);

  void close() {
    if (std::exchange(closed, true)) return;
    pause_timer.cancel();
    launch_timer.cancel();
    gap_timer.cancel();
    if (run) {
      run->end_probing();
      run->give_up();
    }
    wake_waiters();
  }
};

// Runs the command to its end and tells the machine how it ended.
inline boost::asio::awaitable<void> daemon_supervisor::impl::run_daemon(self_ptr self, run_ptr run) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  // Also where the coroutine is destroyed instead of resumed: its slot must not be signalled then.
  const std::shared_ptr<void> at_end(nullptr, [run](void*) { run->over = true; });
  stdio_options io;
  io.capture_limit = 4096;  // the lines are kept in the tail
  io.on_line = [weak = std::weak_ptr<impl>(self), of = std::weak_ptr<detail::daemon_run>(run)](output_stream which,
                                                                                               std::string_view line) {
    const auto holder = weak.lock();
    const auto one = of.lock();
    if (holder && one) holder->on_line(*one, which, line);
  };
  command what = self->plan.start;
  // Where only the client of the last run was killed (by the host's OOM killer for one), that dockerd is still there.
  what.env.push_back(std::string(start_nonce_variable) + "=" + run->nonce);
  if (!self->last_pid.empty()) what.env.push_back("BERTH_LOST_DOCKERD=" + self->last_pid);
  if (run->notices) what.env.push_back(run->notices->environment());
  // An embedder's executor may throw. Unheard, that would leave everybody waiting.
  std::optional<result<std::unique_ptr<running_command>>> answer;
  try {
    answer = co_await self->where.start(std::move(what), std::move(io));
  } catch (...) {
    answer = detail::executor_threw();
  }
  auto& started = *answer;
  if (!started) {
    run->over = true;
    if (!self->closed) {
      self->launch_timer.cancel();
      self->wake_waiters();
      self->dispatch(daemon_event::start_failed{std::move(started).error()});
    }
    co_return;
  }
  run->running = std::move(*started);
  self->wake_waiters();
  const auto running = run->running;
  std::optional<result<exit_status>> came;
  try {
    came = co_await running->wait(time_point::max());
  } catch (...) {
    came = detail::executor_threw();
  }
  auto& ended = *came;
  run->over = true;
  run->running.reset();  // where it did not end, destroying it ends it
  self->tell_gaps(true);
  if (self->closed) co_return;
  self->launch_timer.cancel();
  if (ended) run->ended.set(*ended);
  self->wake_waiters();
  if (ended && !run->launched && !run->missing && run->step_failed.empty() &&
      (ended->code == 127 || ended->code == 126))
    run->step_failed = self->options.plan.guest + ", berth's guest program, cannot be run in this sandbox: " +
                       detail::inside_text(run->tail.text(1));
  if (run->missing) {
    self->dispatch(daemon_event::missing{});
  } else if (!run->step_failed.empty()) {
    self->dispatch(daemon_event::prepare_failed{run->step_failed});
  }
  // Where one of these was told, the machine is past this.
  daemon_event::exited how;
  if (ended) {
    how.status = *ended;
  } else {
    how.why = std::move(ended).error();
    if (how.why->code == errc::cancelled)
      how.why = make_error(errc::daemon_failed, "docker", "dockerd did not end after SIGKILL");
  }
  // What a dockerd that was up printed may be others' words.
  if (!run->api_answered) {
    const auto known =
        diagnose_docker(run->tail.text(), {self->options.plan.versions, self->options.plan.runsc_release});
    how.permanent = !known.empty() && known.front().what.permanent;
  }
  how.attempts = run->attempts;
  how.last_probe = run->last_probe;
  // While what it left is cleared away it is not gone yet: a start that followed would meet the clearing.
  if (run->clearing) run->held_exit = std::move(how);
  else self->dispatch(how);
}

inline boost::asio::awaitable<void> daemon_supervisor::impl::probe_daemon(self_ptr self, run_ptr run,
                                                                          time_point ready_by) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const std::shared_ptr<void> at_end(nullptr, [run](void*) { run->probing = false; });
  const bool from_host = !self->options.host_socket.empty();
  auto question = run->notices ? make_notified_ping_probe(*run->notices, self->options.host_socket)
                  : from_host  ? make_docker_ping_probe(self->options.host_socket)
                               : make_docker_info_probe(self->where, self->options.plan.sockets.front());
  bool told = false;
  const std::function<void()> tell_socket = [&] {
    if (std::exchange(told, true)) return;
    self->say(log_level::debug, "socket exists, checking daemon with 'docker info'...");
  };
  poll_options how;
  how.schedule = from_host ? probe_schedule::cheap() : probe_schedule::costly();
  how.deadline = ready_by;
  how.on_attempt = [&](std::uint32_t attempt, const probe_outcome& outcome) {
    run->attempts = attempt;
    run->last_probe = outcome.reason.to_string();
    if (outcome.connected) tell_socket();
  };
  const poll_result came = co_await poll_until_ready(*question, std::move(how), &run->ended);
  run->attempts = came.attempts;
  if (self->closed || run->over) co_return;
  if (came.ready()) {
    run->api_answered = true;
    tell_socket();
    // Forwarding and SNAT are set up beside dockerd's start, and long done as a rule. A container started now must have
    // them; but that they fail is a warning, so they are not waited for long.
    const time_point patience = std::min(ready_by, deadline_after(seconds(2)));
    const std::function<bool()> done = [run] { return run->network_done || run->over; };
    co_await wait_for(self, done, patience);
    if (self->closed || run->over) co_return;
    run->start_over = true;
    self->dispatch(daemon_event::probe_ready{came.attempts});
  } else if (came.status == errc::timeout || came.status == errc::probe_failed) {
    self->dispatch(daemon_event::probe_gave_up{came.attempts, came.last.to_string()});
  }
}

// The kill or the shutdown of a run, and the news of its end where that was held back meanwhile.
inline boost::asio::awaitable<void> daemon_supervisor::impl::end_daemon(self_ptr self, run_ptr run, ending how) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  try {
    co_await how(self, run);
  } catch (...) {
    // The executor cannot even signal: its command is given up, which ends it where anything does.
    run->give_up();
  }
  run->clearing = false;
  if (run->held_exit) self->dispatch(*std::exchange(run->held_exit, std::nullopt));
}

inline boost::asio::awaitable<void> daemon_supervisor::impl::kill_daemon(self_ptr self, run_ptr run) {
  if (!run->launched && (!run->running || run->running->pid() == 0)) {
    // Not even the start runs: nothing is left behind, and a sandbox that does not answer is not waited for.
    run->give_up();
    co_return;
  }
  run->clearing = true;
  const time_point signalled_by = deadline_after(self->options.kill_timeout);
  if (const auto running = run->running) (void)co_await until_deadline(running->signal(SIGKILL), signalled_by);
  const std::function<bool()> over = [run] { return run->over; };
  const time_point patience = deadline_after(self->options.kill_timeout);
  co_await wait_for(self, over, patience);
  if (self->closed) co_return;
  run->give_up();
  command leftovers = detail::daemon_leftovers_command();
  stdio_options io;
  const time_point until = deadline_after(self->options.kill_timeout);
  (void)co_await run_command(self->where, std::move(leftovers), std::move(io), until);
}

inline boost::asio::awaitable<void> daemon_supervisor::impl::shut_down(self_ptr self, run_ptr run) {
  const std::function<bool()> over = [run] { return run->over; };
  const std::function<bool()> there = [run] { return run->over || run->running; };
  const time_point soon = deadline_after(self->options.term_timeout);
  co_await wait_for(self, there, soon);
  if (self->closed || run->over) co_return;
  if (!run->running) {
    run->give_up();
    co_return;
  }
  if (run->api_answered && self->options.stop_containers_timeout > duration::zero()) {
    const auto grace = std::chrono::ceil<seconds>(self->options.stop_containers_timeout);
    command what = detail::stop_containers_command(self->options.plan.sockets.front(), grace);
    stdio_options io;
    // dockerd kills a container once its grace is over: what remains is for that.
    const time_point until = deadline_after(self->options.stop_containers_timeout + seconds(5));
    const auto stopped = co_await run_command(self->where, std::move(what), std::move(io), until);
    if (self->closed) co_return;
    if (!stopped || !stopped->status.success())
      self->say_not_stopped(stopped ? detail::last_words(stopped->err) : stopped.error().to_string());
  }
  const time_point signalled_by = deadline_after(self->options.kill_timeout);
  if (const auto running = run->running) (void)co_await until_deadline(running->signal(SIGTERM), signalled_by);
  const time_point term_until = deadline_after(self->options.term_timeout);
  co_await wait_for(self, over, term_until);
  if (self->closed || run->over) co_return;
  self->say(log_level::warn, "docker daemon did not end on SIGTERM and is killed");
  co_await kill_daemon(self, run);
}

}  // namespace berth
