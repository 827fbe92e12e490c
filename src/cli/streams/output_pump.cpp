// SPDX-License-Identifier: Apache-2.0
#include "streams/output_pump.hpp"

#include <berth/base/unique_fd.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>

namespace berth::cli {

namespace asio = boost::asio;

namespace {

void raise_event(const unique_fd& event) {
  const std::uint64_t one = 1;
  (void)!::write(event.get(), &one, sizeof one);
}

// What the writing thread and the loop share. The thread is never joined: a write that blocks cannot be called back.
class pump_thread {
 public:
  pump_thread(int read_end, int target)
      : pipe_(read_end), stop_(::eventfd(0, EFD_CLOEXEC)), done_(::eventfd(0, EFD_CLOEXEC)), target_(target) {
    struct stat info;
    // A pipe that poll calls writable takes that much at once, whoever else may be blocked on it.
    if (::fstat(target, &info) == 0 && !S_ISREG(info.st_mode)) longest_write_ = PIPE_BUF;
  }

  void run() {
    while (wait_for(pipe_.get(), POLLIN)) {
      std::string_view data = read_some();
      if (data.empty() || !write_all(data)) break;
    }
    {
      const std::lock_guard<std::mutex> hold(mutex_);
      pipe_.reset();  // a command that goes on writing gets SIGPIPE, as it would from the stream itself
    }
    raise_event(done_);
  }

  void stop() { raise_event(stop_); }
  int done() const { return done_.get(); }
  bool is_done() const {
    struct pollfd wait {
      done_.get(), POLLIN, 0
    };
    return ::poll(&wait, 1, 0) > 0;
  }

  /// How many bytes the command has written until now; those that others write later are not its own.
  std::uint64_t so_far() {
    const std::lock_guard<std::mutex> hold(mutex_);
    int waiting = 0;
    if (pipe_) ::ioctl(pipe_.get(), FIONREAD, &waiting);
    return read_ + static_cast<std::uint64_t>(std::max(waiting, 0));
  }
  std::uint64_t written() {
    const std::lock_guard<std::mutex> hold(mutex_);
    return written_;
  }
  std::string tail() {
    const std::lock_guard<std::mutex> hold(mutex_);
    return tail_;
  }
  int failed() {
    const std::lock_guard<std::mutex> hold(mutex_);
    return failed_;
  }

 private:
  // False when the thread is to stop.
  bool wait_for(int fd, short what) const {
    struct pollfd both[2] = {{fd, what, 0}, {stop_.get(), POLLIN, 0}};
    while (::poll(both, 2, -1) < 0)
      if (errno != EINTR) return false;
    return both[1].revents == 0;
  }

  std::string_view read_some() {
    const std::lock_guard<std::mutex> hold(mutex_);  // never for long: poll has said that there is something
    const ssize_t n = ::read(pipe_.get(), buffer_.data(), buffer_.size());
    if (n <= 0) return {};
    read_ += static_cast<std::uint64_t>(n);
    const std::string_view data(buffer_.data(), static_cast<std::size_t>(n));
    tail_ += data;
    if (tail_.size() > 2 * buffer_.size()) tail_.erase(0, tail_.size() - buffer_.size());
    return data;
  }

  // Whoever writes to our terminal sees the size that the target has by now.
  void follow_size() const {
    struct winsize there {
    }, here{};
    if (::ioctl(target_, TIOCGWINSZ, &there) != 0 || ::ioctl(pipe_.get(), TIOCGWINSZ, &here) != 0) return;
    if (there.ws_row != here.ws_row || there.ws_col != here.ws_col) ::ioctl(pipe_.get(), TIOCSWINSZ, &there);
  }

  bool write_all(std::string_view data) {
    follow_size();
    while (!data.empty()) {
      if (!wait_for(target_, POLLOUT)) return false;
      const ssize_t n = ::write(target_, data.data(), std::min(data.size(), longest_write_));
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      const std::lock_guard<std::mutex> hold(mutex_);
      if (n < 0) {
        failed_ = errno;
        return false;
      }
      written_ += static_cast<std::uint64_t>(n);
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  unique_fd pipe_, stop_, done_;
  int target_;
  std::size_t longest_write_ = SIZE_MAX;
  std::mutex mutex_;
  std::uint64_t read_ = 0, written_ = 0;
  int failed_ = 0;
  std::string tail_;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace

bool same_stream(int a, int b) {
  struct stat one, two;
  return ::fstat(a, &one) == 0 && ::fstat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

struct output_pump::state {
  state(asio::any_io_executor loop, std::shared_ptr<pump_thread> started, int to)
      : thread(std::move(started)), done(loop, ::fcntl(thread->done(), F_DUPFD_CLOEXEC, 0)), timer(loop), target(to) {}
  ~state() { thread->stop(); }
  std::shared_ptr<pump_thread> thread;
  asio::posix::stream_descriptor done;
  asio::steady_timer timer;
  unique_fd write_end;
  int target;
  time_point limit = time_point::max();
};

result<output_pump> output_pump::open(asio::any_io_executor loop, int target) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "cli", "cannot make a pipe");
  return start(std::move(loop), target, unique_fd(ends[0]), unique_fd(ends[1]));
}

result<output_pump> output_pump::open_terminal(asio::any_io_executor loop, int target) {
  unique_fd ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[128];
  if (!ours || ::grantpt(ours.get()) != 0 || ::unlockpt(ours.get()) != 0 ||
      ::ptsname_r(ours.get(), name, sizeof name) != 0)
    return errno_error(errno, "cli", "cannot make a terminal");
  unique_fd theirs(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!theirs) return errno_error(errno, "cli", "cannot open a terminal", name);
  struct termios modes {};
  if (::tcgetattr(target, &modes) == 0) {
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);  // the target does it
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(theirs.get(), TCSANOW, &modes);
  }
  struct winsize size {};
  if (::ioctl(target, TIOCGWINSZ, &size) == 0) ::ioctl(theirs.get(), TIOCSWINSZ, &size);
  return start(std::move(loop), target, std::move(ours), std::move(theirs));
}

result<output_pump> output_pump::start(asio::any_io_executor loop, int target, unique_fd read_end,
                                       unique_fd write_end) {
  auto thread = std::make_shared<pump_thread>(read_end.release(), target);
  auto s = std::make_shared<state>(loop, thread, target);
  s->write_end = std::move(write_end);
  // Signals are the loop thread's: the new thread inherits a full mask, and gets EPIPE for a reader that went away.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  try {
    std::thread([thread] { thread->run(); }).detach();
  } catch (const std::system_error& e) {
    failed = e.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return errno_error(failed, "cli", "cannot start a thread for the command's output");
  return output_pump(std::move(s));
}

int output_pump::write_end() const { return state_->write_end.get(); }
void output_pump::close_write_end() { state_->write_end.reset(); }
std::string output_pump::tail() const { return state_->thread->tail(); }

void output_pump::hurry() {
  state_->limit = time_point::min();
  state_->timer.cancel();
}

asio::awaitable<result<void>> output_pump::finish(duration patience, time_point limit) {
  const auto s = state_;
  s->write_end.reset();
  s->limit = std::min(s->limit, limit);
  const std::uint64_t owed = s->thread->so_far();
  const time_point patience_ends = deadline_after(patience);
  s->done.async_wait(asio::posix::stream_descriptor::wait_read, [s](const boost::system::error_code& ec) {
    if (!ec) s->timer.cancel();
  });
  while (!s->thread->is_done()) {
    const time_point now = clock::now();
    if (now >= patience_ends && (now >= s->limit || s->thread->written() >= owed)) break;
    s->timer.expires_after(milliseconds(50));  // for what the thread tells nobody: that it has written
    boost::system::error_code ignored;
    co_await s->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  boost::system::error_code ignored;
  s->done.cancel(ignored);
  s->thread->stop();
  const char* stream = s->target == STDERR_FILENO ? "standard error" : "standard output";
  const int failed = s->thread->failed();
  if (failed == EPIPE) co_return result<void>();
  if (failed != 0)
    co_return errno_error(failed, "cli", "the command's output could not be written, and is cut off", stream);
  if (s->thread->written() < owed)
    co_return make_error(errc::timeout, "cli", "the command's output was not read in time, and is cut off", stream);
  co_return result<void>();
}

}  // namespace berth::cli
