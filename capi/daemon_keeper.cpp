// SPDX-License-Identifier: Apache-2.0
#include "detail/daemon_keeper.hpp"

#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <list>
#include <utility>

namespace berth::capi {
namespace {

namespace asio = boost::asio;

class supervising_keeper final : public daemon_keeper {
 public:
  supervising_keeper(asio::any_io_executor loop, executor& where, supervisor_options options)
      : supervisor_(std::move(loop), where, std::move(options)) {}
  asio::awaitable<result<void>> begin() override { co_return result<void>(); }
  asio::awaitable<result<void>> start() override { return supervisor_.start(); }
  asio::awaitable<result<void>> wait_ready(time_point deadline) override { return supervisor_.wait_ready(deadline); }
  asio::awaitable<daemon_status> wait_change(daemon_state state) override { return supervisor_.wait_change(state); }
  asio::awaitable<result<void>> stop() override { return supervisor_.stop(); }
  daemon_status status() const override { return supervisor_.status(); }
  void close() noexcept override { supervisor_.close(); }

 private:
  daemon_supervisor supervisor_;
};

// One conversation with the guest brings all that is to be known, for as long as this is open; the others only ask for
// something, so that nothing is told twice.
class guest_keeper final : public daemon_keeper, public std::enable_shared_from_this<guest_keeper> {
 public:
  guest_keeper(asio::any_io_executor loop, std::shared_ptr<sandbox> box, supervisor_options options)
      : loop_(std::move(loop)), box_(std::move(box)), options_(std::move(options)) {}

  asio::awaitable<result<void>> begin() override {
    if (closed_) co_return closed();
    const auto self = shared_from_this();
    listen();
    guest_daemon guest(box_);
    supervisor_options options = options_;
    auto beginning = until_closed(guest.begin(std::move(options)));
    co_return co_await std::move(beginning);
  }
  asio::awaitable<result<void>> start() override {
    if (closed_) co_return closed();
    const auto self = shared_from_this();
    listen();
    guest_daemon guest(box_);
    supervisor_options options = options_;
    ++starters_;
    auto starting = until_closed(guest.start(std::move(options)));
    auto outcome = co_await std::move(starting);
    --starters_;
    started_ = outcome;
    wake();
    if (closed_) co_return closed();
    auto hearing =
        hear_of([](daemon_state now) { return now != daemon_state::starting && now != daemon_state::disabled; });
    co_await std::move(hearing);
    co_return outcome;
  }
  asio::awaitable<result<void>> wait_ready(time_point deadline) override {
    if (closed_) co_return closed();
    const auto self = shared_from_this();
    if (starters_ > 0) {
      // The guest may not have heard of that start yet.
      auto over = wait_for([self] { return self->starters_ == 0; }, deadline);
      co_await std::move(over);
      if (closed_) co_return closed();
      if (starters_ == 0) co_return started_;
      const bool cancelled = co_await was_cancelled();
      co_return make_error(
          cancelled ? errc::cancelled : errc::timeout, "docker",
          cancelled ? "waiting for Docker was cancelled" : "the docker daemon was not ready by the deadline", {},
          cancelled ? "" : "its own start goes on; wait again, or look at its log");
    }
    guest_daemon guest(box_);
    auto waiting = until_closed(guest.wait_ready(deadline));
    auto outcome = co_await std::move(waiting);
    if (closed_) co_return closed();
    if (outcome && listening_) {
      auto hearing = hear_of([](daemon_state now) { return now == daemon_state::ready; });
      co_await std::move(hearing);
    }
    co_return outcome;
  }
  asio::awaitable<result<void>> stop() override {
    if (closed_) co_return closed();
    const auto self = shared_from_this();
    const duration patience = options_.stop_containers_timeout + options_.term_timeout + options_.kill_timeout;
    guest_daemon guest(box_);
    auto stopping = until_closed(guest.stop(deadline_after(seconds(10), deadline_after(patience))));
    auto outcome = co_await std::move(stopping);
    if (closed_) co_return closed();
    auto hearing =
        hear_of([](daemon_state now) { return now != daemon_state::starting && now != daemon_state::ready; });
    co_await std::move(hearing);
    co_return outcome;
  }
  asio::awaitable<daemon_status> wait_change(daemon_state state) override {
    const auto self = shared_from_this();
    auto waiting = wait_for([self, state] { return self->last_.state != state; }, time_point::max());
    co_await std::move(waiting);
    co_return last_;
  }
  daemon_status status() const override { return last_; }
  void close() noexcept override {
    if (std::exchange(closed_, true)) return;
    if (listening_) stop_listening_.emit(asio::cancellation_type::terminal);
    for (asio::cancellation_signal& one : conversations_) one.emit(asio::cancellation_type::terminal);
    wake();
  }

 private:
  static error closed() { return make_error(errc::closed, "capi", "the daemon's supervisor was freed"); }

  void learn(const daemon_status& now) {
    last_ = now;
    wake();
  }
  void wake() {
    for (asio::steady_timer& one : waiters_) one.cancel();
  }

  // `work`, cancelled when this is closed, or by its own caller.
  asio::awaitable<result<void>> until_closed(asio::awaitable<result<void>> work) {
    const auto self = shared_from_this();
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
      co_await asio::this_coro::throw_if_cancelled(throws);
      co_return make_error(errc::cancelled, "docker", "cancelled before it was begun");
    }
    const auto mine = conversations_.emplace(conversations_.end());
    auto slot = cancellation.slot();
    if (slot.is_connected()) slot.assign([mine](asio::cancellation_type type) { mine->emit(type); });
    auto heeding = berth::detail::without_throwing(std::move(work));
    auto spawned =
        asio::co_spawn(loop_, std::move(heeding), asio::bind_cancellation_slot(mine->slot(), asio::use_awaitable));
    result<void> outcome = co_await std::move(spawned);
    if (slot.is_connected()) slot.clear();
    conversations_.erase(mine);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return outcome;
  }

  // Until `done`, this is closed, or the deadline.
  asio::awaitable<void> wait_for(std::function<bool()> done, time_point deadline) {
    const auto self = shared_from_this();
    while (!closed_ && !done() && clock::now() < deadline) {
      // Before each: a cancellation that came between two waits has nothing left to abort.
      const bool cancelled = co_await was_cancelled();
      if (cancelled) co_return;
      const auto mine = waiters_.emplace(waiters_.end(), loop_, deadline);
      boost::system::error_code ignored;
      co_await mine->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      waiters_.erase(mine);
    }
  }
  // What one conversation was told comes by the other within moments.
  asio::awaitable<void> hear_of(std::function<bool(daemon_state)> wanted) {
    const auto self = shared_from_this();
    return wait_for([self, wanted = std::move(wanted)] { return !self->listening_ || wanted(self->last_.state); },
                    deadline_after(seconds(1)));
  }

  void listen() {
    if (!std::exchange(listening_, true))
      asio::co_spawn(loop_, listen_to_guest(shared_from_this()),
                     asio::bind_cancellation_slot(stop_listening_.slot(), asio::detached));
  }
  static asio::awaitable<void> listen_to_guest(std::shared_ptr<guest_keeper> self) {
    co_await asio::this_coro::throw_if_cancelled(false);
    guest_daemon guest(self->box_, self->options_.log);
    guest.on_line = self->options_.on_daemon_line;
    guest.on_status = [&self](const guest_status& now) { self->learn(now.docker); };
    auto listening = guest.watch([](const guest_status&) { return true; }, time_point::max());
    (void)co_await std::move(listening);  // to the end of the sandbox, or of this
    self->listening_ = false;
    if (self->closed_) co_return;
    daemon_status end = self->last_;
    if (end.state == daemon_state::ready || end.state == daemon_state::starting) end.state = daemon_state::stopped;
    end.pid = 0;
    self->learn(end);
  }

  asio::any_io_executor loop_;
  std::shared_ptr<sandbox> box_;
  supervisor_options options_;
  daemon_status last_;
  std::list<asio::steady_timer> waiters_;
  asio::cancellation_signal stop_listening_;
  std::list<asio::cancellation_signal> conversations_;
  std::size_t starters_ = 0;  // calls of start under way
  result<void> started_;      // what became of the last of them
  bool listening_ = false;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<daemon_keeper> make_supervising_keeper(asio::any_io_executor loop, executor& where,
                                                       supervisor_options options) {
  return std::make_shared<supervising_keeper>(std::move(loop), where, std::move(options));
}

std::shared_ptr<daemon_keeper> make_guest_keeper(asio::any_io_executor loop, std::shared_ptr<sandbox> box,
                                                 supervisor_options options) {
  return std::make_shared<guest_keeper>(std::move(loop), std::move(box), std::move(options));
}

}  // namespace berth::capi
