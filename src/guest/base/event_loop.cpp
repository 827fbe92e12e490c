// SPDX-License-Identifier: Apache-2.0
#include "event_loop.hpp"

#include <sys/epoll.h>

#include <utility>

namespace berth::guest {

event_loop::event_loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

bool event_loop::watch(int fd, std::uint32_t events, handler what) {
  auto added = std::make_shared<entry>();
  added->what = std::move(what);
  entries_[fd] = added;
  change(fd, events);
  if (events == 0 || added->registered) return true;
  entries_.erase(fd);
  return false;
}

void event_loop::change(int fd, std::uint32_t events) {
  const auto at = entries_.find(fd);
  if (at == entries_.end() || at->second->events == events) return;
  entry& e = *at->second;
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.fd = fd;
  if (events == 0) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    e.registered = false;
  } else {
    e.registered = ::epoll_ctl(epoll_.get(), e.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &wanted) == 0;
  }
  e.events = events;
}

void event_loop::forget(int fd) {
  const auto at = entries_.find(fd);
  if (at == entries_.end()) return;
  if (at->second->registered) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  at->second->what = nullptr;
  entries_.erase(at);
}

void event_loop::step(bool wait) {
  epoll_event ready[64];
  const int n = ::epoll_wait(epoll_.get(), ready, 64, wait && later_.empty() ? -1 : 0);
  for (int i = 0; i < n && !stopped_; ++i) {
    const auto at = entries_.find(ready[i].data.fd);
    // A handler before this one may have closed the descriptor, and another may have its number already: that one is
    // told of an event that it must take for nothing.
    if (at == entries_.end()) continue;
    const std::shared_ptr<entry> held = at->second;
    if (held->what) {
      const handler what = held->what;  // it may forget itself
      what(ready[i].events);
    }
  }
  if (later_.empty() || stopped_) return;
  const auto what = std::move(later_.front());
  later_.pop_front();
  what();
}

}  // namespace berth::guest
