// SPDX-License-Identifier: Apache-2.0
// Reading and writing of a descriptor that somebody else has made: a pipe, a terminal, a file. On the loop, without ever waiting
// in a read or a write; the descriptor's flags stay as they are, since it may be shared with other programs.
#pragma once

#include <berth/base/result.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/process/write_no_sigpipe.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

class fd_copy : public std::enable_shared_from_this<fd_copy> {
 public:
  using descriptor = boost::asio::posix::stream_descriptor;
  explicit fd_copy(const boost::asio::any_io_executor& loop) : fd_(loop) {}

  /// Takes a duplicate.
  static boost::asio::awaitable<result<std::shared_ptr<fd_copy>>> open(int fd) {
    const auto loop = co_await boost::asio::this_coro::executor;
    auto made = std::make_shared<fd_copy>(loop);
    unique_fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    struct stat info {};
    if (!own || ::fstat(own.get(), &info) != 0)
      co_return errno_error(errno, "process", "cannot take the descriptor of a stream", std::to_string(fd));
    made->plain_ = S_ISREG(info.st_mode) || S_ISBLK(info.st_mode);
    // A pipe that poll calls writable takes PIPE_BUF without waiting, whoever else writes to it.
    const int flags = ::fcntl(own.get(), F_GETFL);
    made->longest_ = made->plain_ || (flags & O_NONBLOCK) != 0 ? 256 * 1024 : PIPE_BUF;
    boost::system::error_code failed;
    made->fd_.assign(own.get(), failed);
    if (failed) co_return errno_error(failed.value(), "process", "cannot watch the descriptor of a stream");
    (void)own.release();
    co_return made;
  }

  /// All of it. EPIPE where nobody reads.
  boost::asio::awaitable<result<void>> write(std::string_view data) {
    const auto self = shared_from_this();
    while (!data.empty()) {
      auto waiting = self->ready(POLLOUT);
      auto waited = co_await std::move(waiting);
      if (!waited) co_return std::move(waited).error();
      const ssize_t n = write_no_sigpipe(self->fd_.native_handle(), data.data(), std::min(self->longest_, data.size()));
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) co_return errno_error(errno, "process", "what came cannot be written");
      data.remove_prefix(static_cast<std::size_t>(n));
    }
    co_return result<void>();
  }

  /// What there is, at most 256 KiB; empty at the end.
  boost::asio::awaitable<result<std::string>> read() {
    const auto self = shared_from_this();
    for (;;) {
      auto waiting = self->ready(POLLIN);
      auto waited = co_await std::move(waiting);
      if (!waited) co_return std::move(waited).error();
      std::string out(256 * 1024, '\0');
      const ssize_t n = ::read(self->fd_.native_handle(), out.data(), out.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n < 0) co_return errno_error(errno, "process", "what is to be sent cannot be read");
      out.resize(static_cast<std::size_t>(n));
      co_return out;
    }
  }

 private:
  boost::asio::awaitable<result<void>> ready(short what) {
    pollfd now{fd_.native_handle(), what, 0};
    if (plain_ || ::poll(&now, 1, 0) != 0) co_return result<void>();  // a file is always ready, and unknown to epoll
    const auto given_up = [] { return make_error(errc::cancelled, "process", "the transfer was cancelled"); };
    // A cancellation that came while the last operation's answer was on its way has nothing left to abort.
    const bool cancelled = co_await was_cancelled();
    if (cancelled) co_return given_up();
    boost::system::error_code failed;
    const auto wanted = what == POLLIN ? descriptor::wait_read : descriptor::wait_write;
    co_await fd_.async_wait(wanted, boost::asio::redirect_error(boost::asio::use_awaitable, failed));
    if (!failed) co_return result<void>();
    if (failed == boost::asio::error::operation_aborted) co_return given_up();
    co_return errno_error(failed.value(), "process", "cannot wait for the descriptor of a stream");
  }

  descriptor fd_;
  std::size_t longest_ = PIPE_BUF;
  bool plain_ = false;
};

}  // namespace berth
