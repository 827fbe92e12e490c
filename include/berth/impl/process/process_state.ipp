// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/process/output_buffer.hpp>
#include <berth/process/pidfd.hpp>
#include <berth/process/process.hpp>
#include <berth/process/write_no_sigpipe.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <list>

namespace berth {

namespace detail {

// One captured stream: our end of its pipe, and what came through it.
struct captured_stream {
  captured_stream(const boost::asio::any_io_executor& executor, std::size_t limit) : pipe(executor), ring(limit) {}

  boost::asio::posix::stream_descriptor pipe;
  output_ring ring;
  line_splitter lines;
};

}  // namespace detail

// What outlives the process object: pending handlers hold it until the child is reaped.
struct process::state : std::enable_shared_from_this<process::state> {
  using descriptor = boost::asio::posix::stream_descriptor;
  using wait_kind = boost::asio::posix::descriptor_base;

  state(boost::asio::any_io_executor ex, stdio_options options)
      : executor(std::move(ex)),
        io(std::move(options)),
        pidfd(executor),
        in(executor),
        streams{{executor, io.capture_limit}, {executor, io.capture_limit}},
        drain(executor) {}

  ~state() {
    if (pid <= 0 || detached || !pidfd.is_open()) return;
    if (!ended()) {  // the loop was destroyed before the child's end
      kill_everything();
      pollfd p{pidfd.native_handle(), POLLIN, 0};
      ::poll(&p, 1, 1000);
    }
    if (!ended() || zombie_held) (void)child_status(pidfd.native_handle(), reap_mode::take);
  }

  bool ended() const noexcept { return status.has_value() || lost.has_value(); }

  detail::captured_stream& stream(output_stream which) { return streams[which == output_stream::out ? 0 : 1]; }

  // From the start to the end of the child.
  void watch_exit() {
    pidfd.async_wait(wait_kind::wait_read, [self = shared_from_this()](boost::system::error_code ec) {
      if (!ec) self->on_exit();
    });
  }

  void on_exit() {
    // A group that outlives its leader can be signalled safely only by pidfd, or while the leader's number is taken.
    if (leads_group && !abandoned) {
      const auto can = signal_pidfd_group(pidfd.native_handle(), 0);
      zombie_held = !can && can.error().code == errc::unsupported;
    }
    auto how = child_status(pidfd.native_handle(), zombie_held ? reap_mode::look : reap_mode::take);
    if (how && !*how) return watch_exit();
    zombie_held = zombie_held && how.has_value();  // else somebody else has reaped it
    if (how) status = **how;
    else lost = how.error();
    wake_all();
    if (abandoned) return;
    drain.expires_after(seconds(1));
    drain.async_wait([self = shared_from_this()](boost::system::error_code ec) {
      if (!ec) self->finish();
    });
    finish_if_done();
  }

  // A read of what is there, at most 256 KiB in a row so that a loud child does not starve the others.
  void read_some(output_stream which) {
    auto& s = stream(which);
    char buffer[16 * 1024];
    for (int round = 0; round < 16; ++round) {
      const ssize_t n = ::read(s.pipe.native_handle(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) break;
      if (n <= 0) return end_of(which);
      const std::string_view data(buffer, static_cast<std::size_t>(n));
      s.ring.append(data);
      if (io.on_data) io.on_data(which, data);
      if (io.on_line && !abandoned) {
        s.lines.append(data, [&](std::string_view line) {
          if (!abandoned) io.on_line(which, line);
        });
      }
      if (!s.pipe.is_open()) return;  // the handler destroyed the process
    }
    watch_output(which);
  }

  void watch_output(output_stream which) {
    stream(which).pipe.async_wait(wait_kind::wait_read,
                                  [self = shared_from_this(), which](boost::system::error_code ec) {
                                    if (!ec && self->stream(which).pipe.is_open()) self->read_some(which);
                                  });
  }

  void end_of(output_stream which) {
    auto& s = stream(which);
    if (io.on_line) s.lines.finish([&](std::string_view line) { io.on_line(which, line); });
    close(s.pipe);
    finish_if_done();
  }

  // The text for stdin, as the child takes it.
  void feed_text() {
    while (fed < io.in_text.size()) {
      const ssize_t n = write_no_sigpipe(in.native_handle(), io.in_text.data() + fed, io.in_text.size() - fed);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) {
        in.async_wait(wait_kind::wait_write, [self = shared_from_this()](boost::system::error_code ec) {
          if (!ec && self->in.is_open()) self->feed_text();
        });
        return;
      }
      if (n < 0) break;  // EPIPE: the child does not want the rest, which is its right
      fed += static_cast<std::size_t>(n);
    }
    close(in);
    io.in_text = {};
  }

  void finish_if_done() {
    if (ended() && !streams[0].pipe.is_open() && !streams[1].pipe.is_open()) finish();
  }

  void finish() {
    if (finished) return;
    finished = true;
    drain.cancel();
    wake_all();
  }

  void wake_all() {
    for (auto* timer : waiters) timer->cancel();
  }

  result<void> signal_group(int signo) {
    auto sent = signal_pidfd_group(pidfd.native_handle(), signo);
    if (sent || sent.error().code != errc::unsupported) return sent;
    // By number, which means this group only as long as its leader, dead or alive, was not reaped: not by us, and not by a
    // host program that waits for any child.
    if (ended() && zombie_held) zombie_held = child_status(pidfd.native_handle(), reap_mode::look).has_value();
    if (ended() && !zombie_held) return make_error(errc::state, "process", "the process has ended");
    if (::kill(-pid, signo) == 0) return {};
    if (errno == ESRCH) return make_error(errc::state, "process", "no process is left in the group");
    return errno_error(errno, "process", "cannot send signal " + std::to_string(signo) + " to the group");
  }

  void kill_everything() {
    if (leads_group) (void)signal_group(SIGKILL);
    if (!ended()) (void)signal_pidfd(pidfd.native_handle(), SIGKILL);  // it may have left its group
  }

  // The process object is gone.
  void abandon() {
    abandoned = true;
    close_streams();
    if (!ended()) {
      kill_everything();  // watch_exit goes on, and reaps
    } else {
      if (zombie_held) (void)child_status(pidfd.native_handle(), reap_mode::take);
      zombie_held = false;
      close(pidfd);
    }
    wake_all();
  }

  void let_go() {
    detached = true;
    abandoned = true;
    close_streams();
    close(pidfd);
    wake_all();
  }

  void close_streams() {
    close(in);
    for (auto& s : streams) close(s.pipe);
    drain.cancel();
  }

  static void close(descriptor& d) {
    boost::system::error_code ignored;
    d.close(ignored);
  }

  boost::asio::any_io_executor executor;
  stdio_options io;
  pid_t pid = -1;
  bool leads_group = false;
  descriptor pidfd;
  descriptor in;
  std::size_t fed = 0;
  bool writing = false;
  detail::captured_stream streams[2];
  boost::asio::steady_timer drain;

  std::optional<exit_status> status;
  std::optional<error> lost;  // it ended, and nobody can tell how
  bool finished = false;      // ended, and its output is read
  bool zombie_held = false;
  bool abandoned = false;
  bool detached = false;
  std::list<boost::asio::steady_timer*> waiters;
};

}  // namespace berth
