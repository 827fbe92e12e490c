// SPDX-License-Identifier: Apache-2.0
// The end that a sandbox was given in advance, by `berth run --lifetime`.
#pragma once

#include "interrupts.hpp"

#include <berth/base/clock.hpp>
#include <berth/base/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>

namespace berth::cli {

/// Ends what runs as SIGTERM does, once `length` has passed since it was made; never where that is 0. A signal that came
/// before stands.
class lifetime {
 public:
  lifetime(boost::asio::any_io_executor loop, duration length, interrupts& signals) : timer_(loop) {
    if (length == duration::zero()) return;
    timer_.expires_after(length);
    timer_.async_wait([this, &signals](const boost::system::error_code& ec) {
      if (ec || signals.first() != 0) return;
      over_ = true;
      signals.raise(SIGTERM);
    });
  }
  lifetime(const lifetime&) = delete;
  lifetime& operator=(const lifetime&) = delete;

  bool over() const noexcept { return over_; }

  /// What it means to somebody who waited for more.
  static error over_error() { return make_error(errc::timeout, "cli", "the sandbox's lifetime is over", "--lifetime"); }

 private:
  boost::asio::steady_timer timer_;
  bool over_ = false;
};

}  // namespace berth::cli
