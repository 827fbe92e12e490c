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
  /// Whether there was one.
  bool kill_watch() const {
    const int pid = watch();
    return pid != 0 && ::kill(pid, SIGKILL) == 0;
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
  const bool is_watched = kill_watch();
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

using CommandWatch = CommandReap;

std::vector<std::string> plain(const std::string& rootfs, const char* id, std::vector<std::string> more) {
  std::vector<std::string> all{"run", "-d", "--id", id, "--network", "none", "--rootfs", rootfs};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_F(CommandWatch, OneProcessIsForAllSandboxesOfARootAndEndsWithTheLast) {
  ASSERT_EQ(run(plain(rootfs_, "free", {})).code, 0);
  EXPECT_TRUE(eventually([&] { return watch() == 0; })) << "nothing has to be done to that one";
  ASSERT_EQ(run(plain(rootfs_, "one", {"--lifetime", "1000"})).code, 0);
  const int first = watch();
  EXPECT_NE(first, 0);
  ASSERT_EQ(run(plain(rootfs_, "two", {"--lifetime", "1000"})).code, 0);
  ASSERT_EQ(run(plain(rootfs_, "three", {"--ends-with", std::to_string(::getpid())})).code, 0);
  EXPECT_EQ(watch(), first);  // pgrep gives the first of several: counted below
  std::FILE* found = ::popen(("pgrep -c -f '^[^ ]*berth-init watch " + root_ + " '").c_str(), "re");
  int count = 0;
  EXPECT_EQ(std::fscanf(found, "%d", &count), 1);
  ::pclose(found);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(run({"rm", "-f", "one", "two"}).code, 0);
  EXPECT_EQ(watch(), first);
  EXPECT_EQ(run({"rm", "-f", "three"}).code, 0);
  EXPECT_TRUE(eventually([&] { return watch() == 0; }));
  EXPECT_EQ(run({"exec", "free", "--", "echo", "on"}).out, "on\n");
  EXPECT_EQ(run({"rm", "-f", "free"}).code, 0);
}

TEST_F(CommandWatch, ItsDeathIsMadeGoodByTheNextCallAndTheLifetimeIsKept) {
  ASSERT_EQ(run(plain(rootfs_, "brief", {"--lifetime", "8"})).code, 0);
  ASSERT_TRUE(kill_watch());
  EXPECT_TRUE(eventually([&] { return watch() == 0; }));
  // Its lock goes a moment after its name in /proc: the first call may take it for alive.
  EXPECT_TRUE(eventually([&] { return run({"ls", "--ids"}).out == "brief\n" && watch() != 0; }));
  EXPECT_TRUE(eventually([&] {
    return parsed_json(run({"status", "--json", "brief"}).out).at({"state"}) == "stopped";
  }));
  EXPECT_TRUE(eventually([&] { return watch() == 0; })) << "it was stopped: nothing is left to be done";
  EXPECT_EQ(run({"rm", "brief"}).code, 0);
}

TEST_F(CommandWatch, ACreatorAndItsWatchKilledTogetherAreMadeUpForByAnyCall) {
  const auto running = start(words({"-d", "--wait"}));
  ASSERT_TRUE(running->wait_for_stderr("phase=running")) << running->finish().err;
  running->signal(SIGSTOP);
  EXPECT_TRUE(kill_watch());
  running->signal(SIGKILL);
  EXPECT_EQ(running->finish().code, 128 + SIGKILL);
  EXPECT_TRUE(eventually([&] { return run({"ls", "--ids"}).out.empty() && left_now().empty(); })) << left_now();
}

INSTANTIATE_TEST_SUITE_P(Phases, CommandKilled, testing::ValuesIn(phases), [](const auto& tested) {
  std::string name;
  for (const char c : tested.param)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  return name;
});

}  // namespace
}  // namespace berth_test
