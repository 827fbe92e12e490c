// SPDX-License-Identifier: Apache-2.0
#include "overlay_watch.hpp"

#include "base/complain.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/unique_fd.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace berth::guest {

namespace asio = boost::asio;

overlay_watch::overlay_watch(const asio::any_io_executor& on, const std::string& data_root) {
  overlay_links links(data_root + "/overlay2");
  unique_fd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // The look at what is there comes after the watch, so that nothing is missed.
  if (!events || ::inotify_add_watch(events.get(), links.directory().c_str(), IN_CREATE | IN_DELETE | IN_ONLYDIR) < 0) {
    if (errno != ENOENT) complain_errno("cannot follow Docker's layers");
    return;
  }
  if (!links.scan()) return;
  state_ = std::make_shared<state>(
      state{std::move(links), asio::posix::stream_descriptor(on, events.release()), asio::steady_timer(on)});
  asio::co_spawn(on, run(state_), asio::detached);
}

overlay_watch::~overlay_watch() {
  if (!state_) return;
  state_->over = true;
  boost::system::error_code ignored;
  state_->events.close(ignored);
  state_->timer.cancel();
}

asio::awaitable<void> overlay_watch::run(std::shared_ptr<state> held) {
  boost::system::error_code ec;
  while (!held->over) {
    // A layer's files come some milliseconds after its link, and layers in a row.
    for (int tries = 0; tries < 5 && !held->links.settle(); ++tries) {
      held->timer.expires_after(milliseconds(20));
      auto pause = held->timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
      co_await std::move(pause);
      if (held->over || !read_events(*held)) co_return;
    }
    held->links.forget_added();
    auto something = held->events.async_wait(asio::posix::stream_descriptor::wait_read,
                                             asio::redirect_error(asio::use_awaitable, ec));
    co_await std::move(something);
    if (ec || held->over || !read_events(*held)) co_return;
  }
}

/// False when the directory is gone.
bool overlay_watch::read_events(state& of) {
  alignas(inotify_event) char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(of.events.native_handle(), buffer, sizeof buffer);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(n);) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      const char* const name = buffer + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_IGNORED) != 0) return false;
      if ((event.mask & IN_Q_OVERFLOW) != 0) (void)of.links.scan();
      if (event.len == 0) continue;
      if ((event.mask & IN_CREATE) != 0) of.links.added(name);
      if ((event.mask & IN_DELETE) != 0) of.links.removed(name);
    }
  }
}

}  // namespace berth::guest
