// SPDX-License-Identifier: Apache-2.0
#include "loop.hpp"

#include <berth/process/fd_copy.hpp>

#include <boost/asio/detached.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>

namespace berth::test {
namespace {

using boost::asio::awaitable;

class FdCopy : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    from_.reset(ends[0]);
    to_.reset(ends[1]);
  }

  result<std::string> after_cancellation(int fd, std::function<awaitable<result<std::string>>(fd_copy&)> step) {
    boost::asio::io_context loop(1);
    auto copy = run_on(loop, fd_copy::open(fd));
    if (!copy) return std::move(copy).error();
    return run_after_cancellation<std::string>(loop, [&] { return step(**copy); });
  }

  unique_fd from_;
  unique_fd to_;
};

TEST_F(FdCopy, ReadsWhatThereIsAndWritesAll) {
  const std::string all(3 * 65536, 'x');
  boost::asio::io_context loop(1);
  std::string came;
  const auto reads = [&]() -> awaitable<void> {
    auto opening = fd_copy::open(from_.get());
    auto copy = co_await std::move(opening);
    for (;;) {
      auto reading = (*copy)->read();
      auto piece = co_await std::move(reading);
      if (!piece || piece->empty()) co_return;
      came += *piece;
    }
  };
  const auto writes = [&]() -> awaitable<void> {
    {
      auto opening = fd_copy::open(to_.get());
      auto copy = co_await std::move(opening);
      auto writing = (*copy)->write(all);
      auto written = co_await std::move(writing);
      EXPECT_TRUE(written) << written.error().to_string();
    }
    to_.reset();
  };
  boost::asio::co_spawn(loop, reads(), boost::asio::detached);
  boost::asio::co_spawn(loop, writes(), boost::asio::detached);
  loop.run_for(std::chrono::seconds(60));
  EXPECT_EQ(came, all);
}

// Else whoever cancels at that moment waits for a pipe that says nothing more, for ever.
TEST_F(FdCopy, ACancellationBetweenTwoStepsEndsTheNextThatWouldWait) {
  const auto read = [](fd_copy& copy) { return copy.read(); };
  const auto none = after_cancellation(from_.get(), read);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::cancelled) << none.error().to_string();

  const std::string too_much(1 << 20, 'x');  // more than a pipe holds
  const auto write = [&](fd_copy& copy) -> awaitable<result<std::string>> {
    auto writing = copy.write(too_much);
    auto written = co_await std::move(writing);
    if (!written) co_return std::move(written).error();
    co_return std::string();
  };
  const auto stuck = after_cancellation(to_.get(), write);
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().code, errc::cancelled) << stuck.error().to_string();
}

}  // namespace
}  // namespace berth::test
