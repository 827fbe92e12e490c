// SPDX-License-Identifier: Apache-2.0
#include <berth/managed/status.hpp>
#include <berth/spec/json.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth::test {
namespace {

guest_status guest_with(daemon_state state) {
  guest_status out;
  out.docker.state = state;
  return out;
}

sandbox_status running() {
  sandbox_status out;
  out.record.id = "box";
  out.state = "running";
  return out;
}

TEST(SandboxStatus, DockerIsWhatTheGuestSaysAndWhatCannotBeOtherwise) {
  sandbox_status one = running();
  EXPECT_FALSE(one.wants_docker());
  EXPECT_EQ(one.docker().state, daemon_state::disabled);

  one.purpose.emplace().docker = true;
  EXPECT_TRUE(one.wants_docker());
  EXPECT_EQ(one.docker().state, daemon_state::starting) << "the guest has not heard of it yet";
  one.guest = guest_with(daemon_state::ready);
  EXPECT_EQ(one.docker().state, daemon_state::ready);
  one.state = "stopped";
  EXPECT_EQ(one.docker().state, daemon_state::stopped) << "with its sandbox";
  one.guest = guest_with(daemon_state::failed);
  EXPECT_EQ(one.docker().state, daemon_state::failed) << "which it had before";

  sandbox_status other = running();  // sandbox::create's, with Docker started later
  other.guest = guest_with(daemon_state::disabled);
  EXPECT_FALSE(other.wants_docker());
  other.guest = guest_with(daemon_state::starting);
  EXPECT_TRUE(other.wants_docker());
}

TEST(SandboxStatus, TheCommandWaitsForDockerWhereItRunsInTheForeground) {
  sandbox_status one = running();
  EXPECT_EQ(one.command_state(), "none");
  one.purpose.emplace().command = {"true"};
  EXPECT_EQ(one.command_state(), "waiting") << "its guest is about to start it";
  one.purpose->detached = false;
  EXPECT_EQ(one.command_state(), "running");
  one.purpose->docker = true;
  EXPECT_EQ(one.command_state(), "waiting");
  one.guest = guest_with(daemon_state::ready);
  EXPECT_EQ(one.command_state(), "running");
  one.guest->command.emplace().now = kept_command::state::exited;
  EXPECT_EQ(one.command_state(), "exited");
}

TEST(SandboxStatus, OneJsonForm) {
  sandbox_status one = running();
  one.purpose.emplace().docker = true;
  one.record.annotations.emplace_back("team", "a\"b");
  one.guest = guest_with(daemon_state::failed);
  daemon_failure& why = one.guest->docker.failure.emplace();
  why.phase = "wait";
  why.exited = exit_status{3, 0};
  why.tail = "last words";
  json_writer text;
  write_json(text, one);
  const auto parsed = parsed_json::parse(text.take());
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  const json_view root = parsed->root();
  EXPECT_EQ(root["id"].text(), "box");
  EXPECT_EQ(root["annotations"]["team"].text(), "a\"b");
  EXPECT_EQ(root["network"]["mode"].text(), "sandbox");
  const json_view docker = root["docker"];
  EXPECT_EQ(docker["state"].text(), "failed");
  EXPECT_EQ(docker["wanted"].truth(), true);
  EXPECT_EQ(docker["failure"]["exit_code"].number<int>(), 3);
  EXPECT_EQ(docker["failure"]["output"].text(), "last words");

  // dockerd's alone has the same members.
  json_writer alone;
  write_json(alone, one.guest->docker);
  const auto second = parsed_json::parse(alone.take());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->root()["failure"]["output"].text(), "last words");
}

}  // namespace
}  // namespace berth::test
