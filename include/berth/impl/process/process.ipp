// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/process/process_state.ipp>
#include <berth/process/detail/launch.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace berth {

namespace detail {

struct child_pipe {
  unique_fd ours;
  unique_fd theirs;
};

inline result<child_pipe> make_child_pipe(bool child_reads) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    error e = errno_error(errno, "process", "cannot make a pipe");
    e.code = errc::spawn_failed;
    if (e.sys_errno == EMFILE || e.sys_errno == ENFILE) e.hint = "out of descriptors: raise the limit (ulimit -n)";
    return e;
  }
  child_pipe p;
  p.ours.reset(ends[child_reads ? 1 : 0]);
  p.theirs.reset(ends[child_reads ? 0 : 1]);
  ::fcntl(p.ours.get(), F_SETFL, ::fcntl(p.ours.get(), F_GETFL) | O_NONBLOCK);  // this end's own flags, not the child's
  return p;
}

inline result<void> register_with_loop(boost::asio::posix::stream_descriptor& d, unique_fd& fd) {
  boost::system::error_code ec;
  d.assign(fd.get(), ec);
  if (ec) return errno_error(ec.value(), "process", "cannot watch a descriptor on the loop");
  (void)fd.release();
  return {};
}

inline error no_process_error() { return make_error(errc::state, "process", "this process object holds no process"); }

inline error wait_cancelled_error() { return make_error(errc::cancelled, "process", "waiting was cancelled"); }

}  // namespace detail

BERTH_DECL result<process> process::start(boost::asio::any_io_executor executor, spawn_options options,
                                          stdio_options io) {
  auto s = std::make_shared<state>(std::move(executor), std::move(io));
  const auto& want = s->io;
  const auto named = [&](int target) {
    for (const auto& m : options.fds) {
      if (m.target == target) return true;
    }
    return false;
  };
  for (int standard = 0; standard <= 2; ++standard) {
    if (named(standard)) {
      return make_error(errc::invalid, "process",
                        "descriptor " + std::to_string(standard) + " of the child is named in the list of descriptors",
                        {}, "say what becomes of it in stdio_options");
    }
  }

  std::array<unique_fd, 3> theirs;
  if (want.in == stdio_options::input::fd) options.fds.push_back({want.in_fd, 0});
  if (want.in == stdio_options::input::pipe || want.in == stdio_options::input::text) {
    auto p = detail::make_child_pipe(true);
    if (!p) return p.error();
    BERTH_TRY(detail::register_with_loop(s->in, p->ours));
    theirs[0] = std::move(p->theirs);
  }
  const auto prepare_output = [&](output_stream which, stdio_options::output how, int fd) -> result<void> {
    const int target = static_cast<int>(which);
    if (how == stdio_options::output::fd) options.fds.push_back({fd, target});
    if (how != stdio_options::output::capture) return {};
    auto p = detail::make_child_pipe(false);
    if (!p) return p.error();
    BERTH_TRY(detail::register_with_loop(s->stream(which).pipe, p->ours));
    theirs[static_cast<std::size_t>(target)] = std::move(p->theirs);
    return {};
  };
  BERTH_TRY(prepare_output(output_stream::out, want.out, want.out_fd));
  BERTH_TRY(prepare_output(output_stream::err, want.err, want.err_fd));
  for (int standard = 0; standard <= 2; ++standard) {
    const auto& fd = theirs[static_cast<std::size_t>(standard)];
    if (fd) options.fds.push_back({fd.get(), standard});
  }

  auto started = spawn(options);
  if (!started) return started.error();
  for (auto& fd : theirs) fd.reset();
  if (auto watched = detail::register_with_loop(s->pidfd, started->pidfd); !watched) {
    detail::end_child(*started);
    return watched.error();
  }
  s->pid = started->pid;
  s->leads_group = options.new_group || options.new_session;

  s->watch_exit();
  for (const auto which : {output_stream::out, output_stream::err}) {
    if (s->stream(which).pipe.is_open()) s->watch_output(which);
  }
  if (want.in == stdio_options::input::text) s->feed_text();
  return process(std::move(s));
}

BERTH_DECL result<process> process::adopt(boost::asio::any_io_executor executor, child&& started) {
  stdio_options none;
  none.out = none.err = stdio_options::output::null;
  auto s = std::make_shared<state>(std::move(executor), std::move(none));
  BERTH_TRY(detail::register_with_loop(s->pidfd, started.pidfd));
  s->pid = std::exchange(started.pid, -1);
  s->watch_exit();
  return process(std::move(s));
}

BERTH_DECL process::process(process&&) noexcept = default;

BERTH_DECL process& process::operator=(process&& other) noexcept {
  if (this != &other) {
    if (state_) state_->abandon();
    state_ = std::move(other.state_);
  }
  return *this;
}

BERTH_DECL process::~process() {
  if (state_) state_->abandon();
}

BERTH_DECL pid_t process::pid() const noexcept { return state_ ? state_->pid : -1; }

BERTH_DECL std::optional<exit_status> process::status() const noexcept {
  return state_ ? state_->status : std::nullopt;
}

namespace detail {

// Waits on `timer` among the waiters of a state, and forgets it whatever happens.
template <class State>
struct waiter_entry {
  State& s;
  typename decltype(State::waiters)::iterator at;
  waiter_entry(State& st, boost::asio::steady_timer& timer) : s(st), at(st.waiters.insert(st.waiters.end(), &timer)) {}
  waiter_entry(const waiter_entry&) = delete;
  waiter_entry& operator=(const waiter_entry&) = delete;
  ~waiter_entry() { s.waiters.erase(at); }
};

enum class await_for { exit, output_end };

// errc::cancelled only when the caller's slot fired during this wait, or, with `check_before`, before it.
template <class State>
boost::asio::awaitable<result<exit_status>> await_process(std::shared_ptr<State> s, time_point deadline, await_for what,
                                                          bool check_before) {
  if (!s) co_return no_process_error();
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  std::optional<result<exit_status>> outcome;
  boost::asio::steady_timer timer(s->executor);
  waiter_entry<State> entry(*s, timer);
  const bool heed = check_before || cancellation.cancelled() == boost::asio::cancellation_type::none;
  while (!outcome) {
    if (what == await_for::exit ? s->ended() : s->finished) {
      if (s->status) outcome = *s->status;
      else outcome = *s->lost;
    } else if (s->abandoned) {
      outcome = make_error(errc::closed, "process", "the process object was destroyed or detached");
    } else if (heed && cancellation.cancelled() != boost::asio::cancellation_type::none) {
      outcome = wait_cancelled_error();
    } else if (clock::now() >= deadline) {
      outcome = make_error(errc::timeout, "process", "the process did not end in time");
    } else {
      // A wake that comes while no wait is pending is not lost: the conditions were looked at just now, on this thread.
      timer.expires_at(deadline);
      const bool was_ended = s->ended();
      boost::system::error_code ec;
      co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
      const bool woken = s->finished || s->abandoned || s->ended() != was_ended;
      if (ec == boost::asio::error::operation_aborted && !woken) outcome = wait_cancelled_error();
    }
  }
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return std::move(*outcome);
}

template <class State>
boost::asio::awaitable<result<exit_status>> stop_process(std::shared_ptr<State> s, duration grace) {
  if (!s) co_return no_process_error();
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const time_point deadline = deadline_after(grace);
  if (!s->ended()) {
    if (s->leads_group) (void)s->signal_group(SIGTERM);
    else (void)signal_pidfd(s->pidfd.native_handle(), SIGTERM);
    auto ended = co_await await_process(s, deadline, await_for::exit, true);
    if (ended && s->leads_group && !s->zombie_held) {
      // The leader is gone; its group may take what is left of the time. Not more than 1 s, since members that are
      // zombies count too, and where process 1 reaps nobody they stay.
      const time_point patience = std::min(deadline, deadline_after(seconds(1)));
      boost::asio::steady_timer timer(s->executor);
      boost::system::error_code ec;
      duration pause = milliseconds(1);
      while (!ec && !s->abandoned && clock::now() < patience && s->signal_group(0)) {
        timer.expires_after(pause);
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        pause = std::min<duration>(pause * 2, milliseconds(20));
      }
    }
  }
  if (!s->abandoned) s->kill_everything();
  // The wait is short as a rule, and cancelling it would only lose the status. But a process that hangs in the kernel, on a
  // network file system for one, or that this user may not signal, is there as long as it likes: its end is left to the
  // loop.
  const time_point patience = deadline_after(seconds(10));
  while (true) {
    auto last = co_await await_process(s, patience, await_for::output_end, false);
    if (!last && last.error().code == errc::cancelled) continue;
    co_await boost::asio::this_coro::throw_if_cancelled(throws);
    if (!last && last.error().code == errc::timeout) {
      co_return make_error(errc::timeout, "process", "the process did not end within 10 s of SIGKILL",
                           std::to_string(s->pid));
    }
    co_return last;
  }
}

template <class State>
boost::asio::awaitable<result<void>> write_to_stdin(std::shared_ptr<State> s, std::string_view data) {
  if (!s) co_return no_process_error();
  if (s->io.in != stdio_options::input::pipe) {
    co_return make_error(errc::state, "process", "the stdin of this process is not a pipe of ours");
  }
  if (s->writing) co_return make_error(errc::state, "process", "another write to this process is under way");
  const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  const auto closed = [] { return make_error(errc::closed, "process", "the stdin of this process is closed"); };
  s->writing = true;
  result<void> outcome;
  while (outcome && !data.empty()) {
    if (!s->in.is_open()) {
      outcome = closed();
      break;
    }
    const ssize_t n = write_no_sigpipe(s->in.native_handle(), data.data(), data.size());
    if (n >= 0) {
      data.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      boost::system::error_code ec;
      if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
        outcome = wait_cancelled_error();
        break;
      }
      co_await s->in.async_wait(State::wait_kind::wait_write,
                                boost::asio::redirect_error(boost::asio::use_awaitable, ec));
      if (ec) outcome = s->in.is_open() ? wait_cancelled_error() : closed();
    } else if (errno == EPIPE) {
      outcome = closed();
    } else if (errno != EINTR) {
      outcome = errno_error(errno, "process", "cannot write to the process");
    }
  }
  s->writing = false;
  co_await boost::asio::this_coro::throw_if_cancelled(throws);
  co_return outcome;
}

}  // namespace detail

BERTH_DECL boost::asio::awaitable<result<exit_status>> process::wait(time_point deadline) {
  return detail::await_process(state_, deadline, detail::await_for::output_end, true);
}

BERTH_DECL boost::asio::awaitable<result<exit_status>> process::stop(duration grace) {
  return detail::stop_process(state_, grace);
}

BERTH_DECL boost::asio::awaitable<result<void>> process::write(std::string_view data) {
  return detail::write_to_stdin(state_, data);
}

BERTH_DECL result<void> process::signal(int signo) {
  if (!state_) return detail::no_process_error();
  if (state_->ended()) return make_error(errc::state, "process", "the process has ended");
  return signal_pidfd(state_->pidfd.native_handle(), signo);
}

BERTH_DECL result<void> process::signal_group(int signo) {
  if (!state_) return detail::no_process_error();
  if (!state_->leads_group) {
    return make_error(errc::invalid, "process", "this process leads no group of its own", {},
                      "start it with new_group or new_session");
  }
  return state_->signal_group(signo);
}

BERTH_DECL void process::close_stdin() {
  if (state_) state::close(state_->in);
}

BERTH_DECL std::string process::output(output_stream which) const {
  return state_ ? state_->stream(which).ring.text() : std::string();
}

BERTH_DECL std::size_t process::dropped(output_stream which) const {
  return state_ ? state_->stream(which).ring.dropped() : 0;
}

BERTH_DECL result<child> process::release() {
  if (!state_) return detail::no_process_error();
  if (state_->ended() && !state_->zombie_held) {
    return make_error(errc::state, "process", "the process has ended, and berth has reaped it");
  }
  const auto s = std::exchange(state_, nullptr);
  child given{s->pid, unique_fd(s->pidfd.release())};
  s->let_go();
  return given;
}

BERTH_DECL void process::detach() {
  if (state_) state_->let_go();
  state_.reset();
}

}  // namespace berth
