// SPDX-License-Identifier: Apache-2.0
// Keeps the progress line moving while a loop runs.
#pragma once

#include "progress.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace berth::cli {

class ticker {
 public:
  ticker(boost::asio::any_io_executor loop, progress& bar) : timer_(loop), bar_(bar) { next(); }

 private:
  void next() {
    timer_.expires_after(progress::interval);
    timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec) return;
      bar_.tick();
      next();
    });
  }
  boost::asio::steady_timer timer_;
  progress& bar_;
};

}  // namespace berth::cli
