#include "loop.hpp"

#include <berth/process/cancellation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace berth {
namespace {

using boost::asio::awaitable;

awaitable<result<void>> wait_and_undo(std::vector<const char*>& steps) {
  const seconds long_pause(60);
  if (co_await pause_for(long_pause)) co_return result<void>();
  steps.push_back("cancelled");
  const milliseconds moment(1);
  if (!co_await was_cancelled()) steps.push_back("not marked");
  // What undoes goes on, and is awaited, past the cancellation.
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  if (co_await pause_for(moment)) steps.push_back("undone");
  co_return make_error(errc::cancelled, "test", "cancelled");
}

TEST(Cancellation, ReachesTheCoroutineAsAValueAndLetsItUndo) {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal signal;
  std::vector<const char*> steps;
  std::optional<errc> code;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, cancellation_as_error(wait_and_undo(steps)),
                        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, result<void> r) {
                          thrown = e;
                          if (!e) code = r ? errc::ok : r.error().code;
                        }));
  boost::asio::post(loop, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  loop.run();
  EXPECT_FALSE(thrown);
  EXPECT_EQ(code, errc::cancelled);
  EXPECT_EQ(steps, (std::vector<const char*>{"cancelled", "undone"}));
}

TEST(Cancellation, IsNotSeenWhereThereWasNone) {
  EXPECT_FALSE(test::run(was_cancelled()));
  EXPECT_TRUE(test::run(pause_for(milliseconds(1))));
}

TEST(Cancellation, ThrowingIsAsItWasAfterwards) {
  const auto work = []() -> awaitable<bool> {
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    const auto inner = []() -> awaitable<result<bool>> {
      const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
      co_return throws;
    };
    auto asked = inner();
    auto during = co_await cancellation_as_error(std::move(asked));
    const bool after = co_await boost::asio::this_coro::throw_if_cancelled();
    co_return !*during && after;
  };
  EXPECT_TRUE(test::run(work()));
}

}  // namespace
}  // namespace berth
