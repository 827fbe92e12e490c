// SPDX-License-Identifier: Apache-2.0
#include "guest_process.hpp"

#include <berth/guest/channel.hpp>

namespace berth::test {
namespace {

class GuestRetreats : public GuestTest {
 protected:
  static time_point soon() { return deadline_after(seconds(60)); }

  guest_channel ask_to_retreat() {
    auto channel = run(guest_channel::open(directory() + "/guest.sock", soon()));
    EXPECT_TRUE(channel) << channel.error().to_string();
    auto sent = run(channel->send(guest_frame_kind::retreat, "", soon()));
    EXPECT_TRUE(sent) << sent.error().to_string();
    return std::move(*channel);
  }
  bool listens() { return static_cast<bool>(connect_guarded(directory() + "/guest.sock")); }
  void wake(const guest_wake& how) {
    const std::string path = directory() + "/" + std::string(guest_wake_name);
    std::ofstream(path + ".new") << encode(how);
    std::filesystem::rename(path + ".new", path);
    for (int i = 0; i < 6000 && !listens(); ++i) ::usleep(10000);
  }
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    return run_on(loop_, std::move(work));
  }

  boost::asio::io_context loop_{1};
};

TEST_F(GuestRetreats, WithEverySocketAndComesBackWhenTold) {
  auto other = run(guest_channel::open(directory() + "/guest.sock", soon()));
  ASSERT_TRUE(other);
  guest_channel channel = ask_to_retreat();
  const auto answer = run(channel.next(soon()));
  ASSERT_TRUE(answer) << answer.error().to_string();
  EXPECT_EQ(answer->kind, guest_frame_kind::retreating);
  for (guest_channel* one : {&channel, &*other}) {
    const auto over = run(one->next(soon()));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, errc::sandbox_not_running);
  }
  EXPECT_FALSE(listens());
  EXPECT_FALSE(std::filesystem::exists(directory() + "/guest.sock"));

  wake({});
  EXPECT_TRUE(listens());
  EXPECT_FALSE(std::filesystem::exists(directory() + "/wake"));
}

TEST_F(GuestRetreats, AgainAndAgain) {
  for (int i = 0; i < 3; ++i) {
    guest_channel channel = ask_to_retreat();
    const auto answer = run(channel.next(soon()));
    ASSERT_TRUE(answer) << answer.error().to_string();
    ASSERT_EQ(answer->kind, guest_frame_kind::retreating);
    ASSERT_FALSE(run(channel.next(soon())));
    wake({});
    ASSERT_TRUE(listens());
  }
}

TEST_F(GuestRetreats, NotWhileACommandWouldBeCutOff) {
  command what;
  what.argv = {"sleep", "1000"};
  auto running = run(executor().start(std::move(what), {}));
  ASSERT_TRUE(running) << running.error().to_string();
  guest_channel channel = ask_to_retreat();
  const auto answer = run(channel.next(soon()));
  ASSERT_TRUE(answer) << answer.error().to_string();
  ASSERT_EQ(answer->kind, guest_frame_kind::refused);
  const auto why = decode_guest<guest_refused>(answer->payload);
  ASSERT_TRUE(why);
  EXPECT_NE(why->message.find("1 command runs through"), std::string::npos) << why->message;
  EXPECT_TRUE(listens());
}

// So that nobody comes in between: what rests takes nothing up but this.
TEST_F(GuestRetreats, RightAfterARest) {
  for (const std::uint32_t wanted : {600'000U, 1U}) {
    auto channel = run(guest_channel::open(directory() + "/guest.sock", soon()));
    ASSERT_TRUE(channel);
    ::usleep(20'000);
    ASSERT_TRUE(run(channel->send(guest_frame_kind::rest, encode(guest_rest{wanted}), soon())));
    const auto idle = run(channel->next(soon()));
    ASSERT_TRUE(idle);
    ASSERT_EQ(idle->kind, guest_frame_kind::idle_for);
    const auto since = decode_guest<guest_rest>(idle->payload);
    ASSERT_TRUE(since);
    EXPECT_EQ(since->ms >= wanted, wanted == 1U);
    ASSERT_TRUE(run(channel->send(guest_frame_kind::retreat, "", soon())));
    const auto answer = run(channel->next(soon()));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind, guest_frame_kind::retreating);
    EXPECT_FALSE(run(channel->next(soon())));
    wake({});
  }
  auto twice = run(guest_channel::open(directory() + "/guest.sock", soon()));
  ASSERT_TRUE(twice);
  ASSERT_TRUE(run(twice->send(guest_frame_kind::rest, encode(guest_rest{600'000}), soon())));
  ASSERT_TRUE(run(twice->next(soon())));
  ASSERT_TRUE(run(twice->send(guest_frame_kind::rest, encode(guest_rest{600'000}), soon())));
  const auto refused = run(twice->next(soon()));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->kind, guest_frame_kind::refused);
}

TEST(GuestWake, IsReadBack) {
  const auto wake = decode_guest<guest_wake>(encode(guest_wake{true, "10.211.0.6", "web"}));
  ASSERT_TRUE(wake);
  EXPECT_TRUE(wake->restored);
  EXPECT_EQ(wake->address, "10.211.0.6");
  EXPECT_EQ(wake->hostname, "web");
  EXPECT_FALSE(wake->same);
  guest_wake back{true, "", "web", true};
  EXPECT_TRUE(decode_guest<guest_wake>(encode(back))->same);
  EXPECT_FALSE(decode_guest<guest_wake>("short"));
  EXPECT_FALSE(decode_guest<guest_wake>(encode(guest_wake{}) + "x"));
}

}  // namespace
}  // namespace berth::test
