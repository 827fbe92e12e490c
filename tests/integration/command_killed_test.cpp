// SPDX-License-Identifier: Apache-2.0
// SIGKILL to whoever makes or keeps a sandbox, at each phase of its life: nothing is left, at the latest after `berth gc`.
#include "support/command_fixture.hpp"

#include <signal.h>

#include <chrono>
#include <thread>

namespace berth_test {
namespace {

// In the order in which they come; each is a line of the verbose log.
const std::vector<std::string> phases = {
    "phase=record",
    "phase=directories",
    "phase=shared",
    "phase=network",
    "phase=root",
    "phase=bundle",
    "phase=runsc",
    "phase=running",
    "preparing to start docker daemon",
    "docker daemon process started",
    "docker daemon is ready",
};

class CommandReap : public command_test {
 protected:
  std::vector<std::string> words(std::vector<std::string> more) const {
    std::vector<std::string> all{"-v", "run", "--id", "victim", "--rootfs", rootfs_, "--docker"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Of the sandbox while it is the only one.
  std::string token() { return parsed_json(run({"ls", "--json"}).out).at({"0", "container_id"}); }
  /// Whether there was one.
  static bool kill_watch(const std::string& token) {
    std::FILE* found = ::popen(("pgrep -f '^[^ ]*berth-init watch " + token + "'").c_str(), "re");
    int watch = 0;
    const bool is_watched = std::fscanf(found, "%d", &watch) == 1;
    ::pclose(found);
    return is_watched && ::kill(watch, SIGKILL) == 0;
  }
  void collect() {
    const command_output gc = run({"gc"});
    EXPECT_EQ(gc.code, 0) << gc.err;
    EXPECT_EQ(left_now(), "") << "after gc, which removed: " << gc.out;
    EXPECT_EQ(run({"ls", "--ids"}).out, "");
  }
};

class CommandKilled : public CommandReap, public testing::WithParamInterface<std::string> {};

TEST_P(CommandKilled, InTheForeground) {
  const auto running = start(words({"--", "sleep", "1000"}));
  ASSERT_TRUE(running->wait_for_stderr(GetParam())) << running->finish().err;
  running->signal(SIGKILL);
  running->finish();
  collect();
}

TEST_P(CommandKilled, Detached) {
  const auto running = start(words({"-d", "--wait"}));
  ASSERT_TRUE(running->wait_for_stderr(GetParam())) << running->finish().err;
  running->signal(SIGKILL);
  const command_output got = running->finish();
  if (got.code == 0) {  // it was done before the signal came: the id is out, and the sandbox is the user's
    EXPECT_EQ(got.out, "victim\n");
    EXPECT_EQ(run({"rm", "victim"}).code, 0);
  } else if (got.out == "victim\n") {  // the id is out; it was handed over or not
    run({"rm", "victim"});
  }
  // What watches it sees its end, and takes everything down by itself.
  EXPECT_TRUE(eventually([&] { return run({"ls", "--ids"}).out.empty() && left_now().empty(); })) << left_now();
}

// What watches it is killed as well: then it is the collector's.
TEST_P(CommandKilled, WithItsWatch) {
  const auto running = start(words({"-d", "--wait"}));
  ASSERT_TRUE(running->wait_for_stderr(GetParam())) << running->finish().err;
  running->signal(SIGSTOP);
  const bool is_watched = kill_watch(token());
  running->signal(SIGKILL);
  const command_output got = running->finish();
  EXPECT_EQ(got.code, 128 + SIGKILL) << got.out;
  if (got.out == "victim\n") run({"rm", "victim"});  // the id was out: it may be nobody's to take down but the user's
  if (is_watched) {
    collect();
  } else {
    EXPECT_TRUE(eventually([&] { return run({"gc"}).code == 0 && left_now().empty(); })) << left_now();
  }
}

// What a killed process held is closed before it has ended, and its watch hears of it.
TEST_F(CommandReap, WhoTakesASandboxDownWaitsForACreatorThatIsOnItsWayOut) {
  const auto running = start(words({"-d", "--wait"}));
  ASSERT_TRUE(running->wait_for_stderr("phase=running")) << running->finish().err;
  running->signal(SIGSTOP);
  const std::string its_token = token();
  EXPECT_TRUE(kill_watch(its_token));
  const auto reaping = start({"reap", "victim", its_token});
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // one that does not wait has ended by then
  running->signal(SIGKILL);
  EXPECT_EQ(running->finish().code, 128 + SIGKILL);
  EXPECT_EQ(reaping->finish().code, 0);
  EXPECT_EQ(left_now(), "");
}

INSTANTIATE_TEST_SUITE_P(Phases, CommandKilled, testing::ValuesIn(phases), [](const auto& tested) {
  std::string name;
  for (const char c : tested.param)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  return name;
});

}  // namespace
}  // namespace berth_test
