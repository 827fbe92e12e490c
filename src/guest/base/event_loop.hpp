// SPDX-License-Identifier: Apache-2.0
// Descriptors and what is done when they are ready: a thin cover over epoll, one thread.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

namespace berth::guest {

class event_loop {
 public:
  using handler = std::function<void(std::uint32_t events)>;

  event_loop();
  explicit operator bool() const { return static_cast<bool>(epoll_); }

  /// Calls `what` while `fd` has one of `events` (or an error, or its other end is closed). The descriptor stays the caller's.
  bool watch(int fd, std::uint32_t events, handler what);
  /// Changes the events. 0 takes the descriptor out of epoll, which would report a hang-up whatever was asked for.
  void change(int fd, std::uint32_t events);
  /// Must come before the descriptor is closed. Its handler is not called any more, not for events already seen either.
  void forget(int fd);

  /// Does `what` when everything that is ready now has been seen to, and one such thing at a time: what takes long keeps
  /// nobody waiting for what does not.
  void later(std::function<void()> what) { later_.push_back(std::move(what)); }

  /// Waits for something that is ready where `wait` is true, and sees to what is.
  void step(bool wait);
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }
  /// Whether `later` has something left: a step is wanted, whatever descriptors say.
  bool has_more() const { return !later_.empty(); }
  /// Readable when a step finds something.
  int fd() const { return epoll_.get(); }

 private:
  struct entry {
    handler what;
    std::uint32_t events = 0;
    bool registered = false;
  };
  unique_fd epoll_;
  std::unordered_map<int, std::shared_ptr<entry>> entries_;
  std::deque<std::function<void()>> later_;
  bool stopped_ = false;
};

}  // namespace berth::guest
