// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "overlay_links.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace berth::guest {

/// Follows the layers of a dockerd that is up, by inotify, and keeps their links short, as long as it lives. Where dockerd has
/// no overlay2 store, nothing happens.
class overlay_watch {
 public:
  overlay_watch(const boost::asio::any_io_executor& on, const std::string& data_root);
  ~overlay_watch();
  overlay_watch(const overlay_watch&) = delete;
  overlay_watch& operator=(const overlay_watch&) = delete;

 private:
  struct state {
    overlay_links links;
    boost::asio::posix::stream_descriptor events;
    boost::asio::steady_timer timer;
    bool over = false;
  };
  static boost::asio::awaitable<void> run(std::shared_ptr<state> held);
  static bool read_events(state& of);

  std::shared_ptr<state> state_;
};

}  // namespace berth::guest
