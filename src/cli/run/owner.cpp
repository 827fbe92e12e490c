// SPDX-License-Identifier: Apache-2.0
#include "run/owner.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <fcntl.h>

#include <csignal>

namespace berth::cli {

namespace asio = boost::asio;

owner_watch::owner_watch(asio::any_io_executor loop, const std::shared_ptr<const unique_fd>& pidfd, interrupts& signals)
    : process_(loop), signals_(signals) {
  if (!pidfd) return;
  process_.assign(::fcntl(pidfd->get(), F_DUPFD_CLOEXEC, 0));
  process_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& ec) {
    if (ec) return;
    gone_ = true;
    signals_.raise(SIGTERM);
  });
}

asio::awaitable<void> owner_watch::wait() {
  if (!process_.is_open() || gone_) co_return;
  asio::steady_timer done(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  signals_.handle([](int) {});  // one that is over and done with
  bool told = false;
  signals_.handle([&](int) {
    told = true;
    done.cancel();
  });
  boost::system::error_code ignored;
  if (!told) co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  signals_.handle(nullptr);
}

}  // namespace berth::cli
