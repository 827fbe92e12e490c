// SPDX-License-Identifier: Apache-2.0
// What a guest keeps, asked by the real program; dockerd itself is for the integration tests.
#include "guest_process.hpp"

#include <berth/docker/daemon_messages.hpp>
#include <berth/guest/channel.hpp>

namespace berth::test {
namespace {

class GuestKeeps : public GuestTest {
 protected:
  static time_point soon() { return deadline_after(seconds(60)); }

  guest_channel ask(const std::string& request) {
    auto channel = run(guest_channel::open(directory() + "/guest.sock", soon()));
    EXPECT_TRUE(channel) << channel.error().to_string();
    auto sent = run(channel->send(guest_frame_kind::daemon, request, soon()));
    EXPECT_TRUE(sent) << sent.error().to_string();
    return std::move(*channel);
  }
  // The news until `enough`.
  daemon_news hear(guest_channel& channel, const std::function<bool(const daemon_news&)>& enough) {
    for (;;) {
      auto came = run(channel.next(soon()));
      EXPECT_TRUE(came) << came.error().to_string();
      if (!came) return {};
      EXPECT_EQ(came->kind, guest_frame_kind::daemon_news);
      auto news = parse_daemon_news(came->payload);
      EXPECT_TRUE(news) << came->payload;
      if (!news || enough(*news)) return news ? *news : daemon_news();
    }
  }
  static bool is_done(const daemon_news& news) { return news.done; }
  static std::string left_with(std::vector<std::string> argv) {
    daemon_request request;
    request.what = daemon_request::kind::start;
    request.run.emplace();
    request.run->argv = std::move(argv);
    return format_daemon_request(request);
  }
  guest_status written() {
    auto status = parse_guest_status(slurp(directory() + "/status.json"));
    EXPECT_TRUE(status) << slurp(directory() + "/status.json");
    return status ? *status : guest_status();
  }
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    return run_on(loop_, std::move(work));
  }

 private:
  boost::asio::io_context loop_{1};
};

TEST_F(GuestKeeps, ACommandWhoseOutputAndEndStay) {
  auto first = ask(left_with({"sh", "-c", "echo out; echo err >&2; exit 3"}));
  const daemon_news news = hear(first, is_done);
  EXPECT_FALSE(news.failed);
  EXPECT_EQ(wait_for_guest(), 0);  // it was there for the command
  ASSERT_TRUE(written().command);
  EXPECT_EQ(written().command->now, kept_command::state::exited);
  EXPECT_EQ(written().command->exit_code, 3);
  EXPECT_EQ(slurp(directory() + "/command.log"), "out\nerr\n");
}

TEST_F(GuestKeeps, ACommandThatCannotBeStartedSaysSo) {
  auto first = ask(left_with({"/none/such"}));
  hear(first, is_done);
  EXPECT_EQ(wait_for_guest(), 0);  // it was there for the command
  EXPECT_EQ(written().command->exit_code, 127);
  EXPECT_NE(slurp(directory() + "/command.log").find("/none/such"), std::string::npos);
}

TEST_F(GuestKeeps, ItGoesOnWithoutWhoeverAskedForItAndIsStoppedByAnother) {
  {
    auto first = ask(left_with({"sh", "-c", "trap 'echo told; exit 7' TERM; echo up; while :; do sleep 0.05; done"}));
    hear(first, is_done);
  }
  while (slurp(directory() + "/command.log") != "up\n") ::usleep(10'000);
  EXPECT_EQ(written().command->now, kept_command::state::running);
  auto second = ask(left_with({"true"}));
  const daemon_news refused = hear(second, is_done);
  ASSERT_TRUE(refused.failed);
  EXPECT_EQ(refused.failed->code, errc::state);
  auto watching = ask(R"({"do":"watch"})");
  const daemon_news now = hear(watching, [](const daemon_news& news) { return news.status.has_value(); });
  ASSERT_TRUE(now.status->command);
  EXPECT_EQ(now.status->command->now, kept_command::state::running);
  EXPECT_EQ(now.status->docker.state, daemon_state::disabled);
  auto stopping = ask(R"({"do":"stop"})");
  // Whoever watches hears of the end, which is the guest's as well.
  const daemon_news end = hear(watching, [](const daemon_news& news) {
    return news.status && news.status->command && news.status->command->now == kept_command::state::exited;
  });
  EXPECT_EQ(end.status->command->exit_code, 7);
  EXPECT_EQ(wait_for_guest(), 0);  // it was there for the command
  EXPECT_EQ(slurp(directory() + "/command.log"), "up\ntold\n");
}

TEST_F(GuestKeeps, NonsenseIsRefusedAndNobodyElseHindered) {
  for (const char* request : {"", "{}", "[", R"({"do":"start","docker":7})"}) {
    auto channel = ask(request);
    const daemon_news news = hear(channel, is_done);
    ASSERT_TRUE(news.failed) << request;
    EXPECT_EQ(news.failed->code, errc::invalid) << request;
    // The guest has ended the connection, not itself.
    const auto after = run(channel.next(soon()));
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, errc::sandbox_not_running);
  }
  auto deaf = ask(R"({"do":"watch"})");  // never read
  auto second = ask(R"({"do":"stop"})");
  EXPECT_FALSE(hear(second, is_done).failed);
  command what;
  what.argv = {"true"};
  EXPECT_TRUE(run(run_command(executor(), what)));
}

}  // namespace
}  // namespace berth::test
