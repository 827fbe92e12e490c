// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/guest/detail/fd_sink.hpp>
#include <berth/process/write_no_sigpipe.hpp>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace berth::detail {

BERTH_DECL result<std::shared_ptr<fd_sink>> fd_sink::open(boost::asio::any_io_executor executor, int fd, hooks tell) {
  auto sink = std::make_shared<fd_sink>(std::move(executor));
  unique_fd own(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  struct stat info {};
  if (!own || ::fstat(own.get(), &info) != 0)
    return errno_error(errno, "guest", "cannot take the descriptor of an output stream");
  sink->plain_file_ = S_ISREG(info.st_mode);
  const int flags = ::fcntl(own.get(), F_GETFL);
  // A pipe that poll calls writable takes PIPE_BUF without waiting, whoever else writes to it.
  sink->longest_ = (flags & O_NONBLOCK) != 0 || sink->plain_file_ ? 256 * 1024 : PIPE_BUF;
  boost::system::error_code failed;
  sink->target_.assign(own.get(), failed);
  if (failed) return errno_error(failed.value(), "guest", "cannot watch the descriptor of an output stream");
  (void)own.release();
  sink->tell_ = std::move(tell);
  return sink;
}

BERTH_DECL void fd_sink::append(std::string_view data) {
  if (broken_ != 0 || !target_.is_open()) {
    if (tell_.written) tell_.written(data.size());
    return;
  }
  queue_ += data;
  if (!waiting_) pump();
}

BERTH_DECL void fd_sink::close() {
  tell_ = {};
  queue_.clear();
  boost::system::error_code ignored;
  target_.close(ignored);
}

inline void fd_sink::pump() {
  const auto self = shared_from_this();  // a hook may drop us
  std::size_t done = 0;
  while (done < queue_.size()) {
    pollfd ready{target_.native_handle(), POLLOUT, 0};
    if (!plain_file_ && ::poll(&ready, 1, 0) == 0) break;
    const ssize_t n =
        write_no_sigpipe(target_.native_handle(), queue_.data() + done, std::min(longest_, queue_.size() - done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) {
      broken_ = errno;
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  const bool rest = done < queue_.size() && broken_ == 0;
  const std::size_t dealt_with = broken_ != 0 ? queue_.size() : done;
  queue_.erase(0, dealt_with);
  if (rest) {
    waiting_ = true;
    target_.async_wait(boost::asio::posix::descriptor_base::wait_write, [self](boost::system::error_code failed) {
      self->waiting_ = false;
      if (!failed && self->target_.is_open()) self->pump();
    });
  }
  if (broken_ != 0 && tell_.broken) tell_.broken(broken_);
  if (dealt_with > 0 && tell_.written) tell_.written(dealt_with);
}

}  // namespace berth::detail
