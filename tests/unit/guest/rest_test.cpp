// SPDX-License-Identifier: Apache-2.0
// A guest that is asked how long nobody has used it, and to hold still.
#include "guest_process.hpp"

#include <berth/docker/daemon_messages.hpp>
#include <berth/guest/channel.hpp>

namespace berth::test {
namespace {

class GuestRests : public GuestTest {
 protected:
  static time_point soon() { return deadline_after(seconds(60)); }

  guest_channel open() {
    auto channel = run(guest_channel::open(directory() + "/guest.sock", soon()));
    EXPECT_TRUE(channel) << channel.error().to_string();
    return std::move(*channel);
  }
  /// What it says, of the connection that stays.
  std::uint32_t ask(guest_channel& channel, std::uint32_t idle_ms) {
    auto sent = run(channel.send(guest_frame_kind::rest, encode(guest_rest{idle_ms}), soon()));
    EXPECT_TRUE(sent) << sent.error().to_string();
    auto answer = run(channel.next(soon()));
    EXPECT_TRUE(answer) << answer.error().to_string();
    if (!answer) return 0;
    EXPECT_EQ(answer->kind, guest_frame_kind::idle_for);
    auto said = decode_guest<guest_rest>(answer->payload);
    EXPECT_TRUE(said) << said.error().to_string();
    return said ? said->ms : 0;
  }
  std::uint32_t idle() {
    guest_channel channel = open();
    return ask(channel, 0x7fffffff);
  }
  bool is_idle_soon(std::uint32_t ms) {
    for (int i = 0; i < 6000; ++i, ::usleep(10000))
      if (idle() >= ms) return true;
    return false;
  }
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    return run_on(loop_, std::move(work));
  }

  boost::asio::io_context loop_{1};
};

TEST_F(GuestRests, AskingIsNoUseAndListeningNeither) {
  EXPECT_TRUE(is_idle_soon(200));
  guest_channel listener = open();
  auto sent = run(listener.send(guest_frame_kind::daemon, format_daemon_request(daemon_request()), soon()));
  ASSERT_TRUE(sent) << sent.error().to_string();
  ASSERT_TRUE(run(listener.next(soon())));
  EXPECT_TRUE(is_idle_soon(300));
}

TEST_F(GuestRests, ACommandIsUseToItsEndAndSoIsAConnectionThatHasSaidNothingYet) {
  ASSERT_TRUE(is_idle_soon(300));
  command what;
  what.argv = {"cat"};
  stdio_options io;
  io.in = stdio_options::input::pipe;
  auto running = run(executor().start(std::move(what), std::move(io)));
  ASSERT_TRUE(running) << running.error().to_string();
  ::usleep(400'000);
  EXPECT_EQ(idle(), 0u);
  (*running)->close_stdin();
  ASSERT_TRUE(run((*running)->wait(soon())));
  running->reset();
  ASSERT_TRUE(is_idle_soon(300));
  guest_channel silent = open();
  ::usleep(400'000);
  EXPECT_EQ(idle(), 0u);
}

TEST_F(GuestRests, WhoComesWhileItHoldsStillIsServedAfterwards) {
  ASSERT_TRUE(is_idle_soon(50));
  guest_channel channel = open();
  ASSERT_GE(ask(channel, 50), 50u);
  auto early = run(guest_channel::open(directory() + "/guest.sock", deadline_after(milliseconds(500))));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, errc::timeout) << early.error().to_string();
  channel = guest_channel();
  command what;
  what.argv = {"true"};
  auto done = run(run_command(executor(), std::move(what), {}, soon()));
  EXPECT_TRUE(done) << done.error().to_string();
}

TEST_F(GuestRests, OneThatWasUsedLaterThanWasAskedForGoesOn) {
  guest_channel channel = open();
  EXPECT_LT(ask(channel, 0x7fffffff), 0x7fffffffu);
  EXPECT_TRUE(run(guest_channel::open(directory() + "/guest.sock", soon())));
}

TEST_F(GuestRests, ARequestThatCannotBeReadIsRefused) {
  guest_channel channel = open();
  ASSERT_TRUE(run(channel.send(guest_frame_kind::rest, "\xff\xff\xff\xff", soon())));
  const auto answer = run(channel.next(soon()));
  ASSERT_TRUE(answer) << answer.error().to_string();
  EXPECT_EQ(answer->kind, guest_frame_kind::refused);
}

}  // namespace
}  // namespace berth::test
