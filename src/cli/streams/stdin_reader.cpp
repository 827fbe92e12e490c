// SPDX-License-Identifier: Apache-2.0
#include "streams/stdin_reader.hpp"

#include <boost/asio/post.hpp>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace berth::cli {
namespace {

// True when there is something to read, false when the reader is to stop.
bool wait_readable(int fd, int stop) {
  struct pollfd both[2] = {{fd, POLLIN, 0}, {stop, POLLIN, 0}};
  for (;;) {
    const int n = ::poll(both, 2, -1);
    if (n < 0 && errno == EINTR) continue;
    return n > 0 && both[1].revents == 0;
  }
}

}  // namespace

stdin_reader::stdin_reader(boost::asio::any_io_executor loop, delivery deliver) : stop_(::eventfd(0, EFD_CLOEXEC)) {
  const auto taken_fd = std::make_shared<unique_fd>(::eventfd(0, EFD_CLOEXEC));
  // Signals are the loop thread's: the new thread inherits a full mask.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([loop, deliver = std::move(deliver), stop = stop_.get(), taken_fd] {
    char buffer[4096];
    while (wait_readable(STDIN_FILENO, stop)) {
      const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      std::string data(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
      boost::asio::post(loop, [deliver, data = std::move(data), taken_fd] {
        deliver(data, [taken_fd] {
          const std::uint64_t one = 1;
          (void)!::write(taken_fd->get(), &one, sizeof one);
        });
      });
      if (n <= 0) return;
      if (!wait_readable(taken_fd->get(), stop)) return;
      std::uint64_t count = 0;
      (void)!::read(taken_fd->get(), &count, sizeof count);
    }
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

stdin_reader::~stdin_reader() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

}  // namespace berth::cli
