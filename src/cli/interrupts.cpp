// SPDX-License-Identifier: Apache-2.0
#include "interrupts.hpp"

#include <csignal>
#include <utility>

namespace berth::cli {

interrupts::interrupts(boost::asio::any_io_executor loop) : state_(std::make_shared<state>(loop)) {
  for (const int signo : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction present;
    if (::sigaction(signo, nullptr, &present) == 0 && present.sa_handler == SIG_IGN) continue;
    state_->signals.add(signo);
  }
  listen(state_);
}

interrupts::~interrupts() {
  state_->handler = nullptr;
  boost::system::error_code ignored;
  state_->signals.cancel(ignored);
}

void interrupts::listen(const std::shared_ptr<state>& s) {
  s->signals.async_wait([weak = std::weak_ptr(s)](const boost::system::error_code& ec, int signo) {
    const auto alive = weak.lock();
    if (ec || !alive) return;
    listen(alive);
    deliver(alive, signo);
  });
}

void interrupts::deliver(const std::shared_ptr<state>& s, int signo) {
  if (s->first == 0) s->first = signo;
  if (s->handler) {
    const auto handler = s->handler;  // a copy: it may replace itself
    handler(signo);
  } else {
    s->kept = signo;
  }
}

void interrupts::handle(std::function<void(int)> handler) {
  state_->handler = std::move(handler);
  if (state_->handler && state_->kept != 0) {
    const auto copy = state_->handler;
    copy(std::exchange(state_->kept, 0));
  }
}

}  // namespace berth::cli
