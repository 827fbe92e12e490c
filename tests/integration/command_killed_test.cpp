// SIGKILL to whoever makes or keeps a sandbox, at each phase of its life: nothing is left, at the latest after `berth gc`.
#include "support/command_fixture.hpp"

#include <signal.h>

namespace berth_test {
namespace {

// In the order in which they come; each is a line of the verbose log.
const std::vector<std::string> phases = {
    "phase=record", "phase=directories", "phase=shared", "phase=network", "phase=root", "phase=bundle", "phase=runsc", "phase=running",
    "preparing to start docker daemon", "docker daemon process started", "docker daemon is ready",
};

class CommandKilled : public command_test, public testing::WithParamInterface<std::string> {
 protected:
  std::vector<std::string> words(std::vector<std::string> more) const {
    std::vector<std::string> all{"-v", "run", "--id", "victim", "--rootfs", rootfs_, "--docker"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void collect() {
    const command_output gc = run({"gc"});
    EXPECT_EQ(gc.code, 0) << gc.err;
    EXPECT_EQ(left_now(), "") << "after gc, which removed: " << gc.out;
    EXPECT_EQ(run({"ls", "--ids"}).out, "");
  }
};

TEST_P(CommandKilled, InTheForeground) {
  const auto running = start(words({"--", "sleep", "1000"}));
  ASSERT_TRUE(running->wait_for_stderr(GetParam())) << running->finish().err;
  running->signal(SIGKILL);
  running->finish();
  collect();
}

TEST_P(CommandKilled, TheLauncher) {
  const auto running = start(words({"-d", "--wait"}));
  ASSERT_TRUE(running->wait_for_stderr(GetParam())) << running->finish().err;
  running->signal(SIGKILL);
  const command_output got = running->finish();
  if (got.code == 0) {  // it was done before the signal came: the id is out, and the sandbox is the user's
    EXPECT_EQ(got.out, "victim\n");
    EXPECT_EQ(run({"rm", "victim"}).code, 0);
  }
  // The monitor sees its end and takes everything down by itself.
  EXPECT_TRUE(eventually([&] { return run({"ls", "--ids"}).out.empty(); }));
  EXPECT_EQ(left_now(), "");
}

TEST_P(CommandKilled, TheMonitor) {
  const auto running = start(words({"-d", "--wait"}));
  ASSERT_TRUE(running->wait_for_stderr(GetParam())) << running->finish().err;
  // The monitor is the launcher's only child, or was, when that has ended.
  std::string monitor = parsed_json(run({"ls", "--json"}).out).at({"0", "creator", "pid"});
  if (monitor == "(absent)") {  // no record yet
    std::FILE* children = std::fopen(("/proc/" + std::to_string(running->pid()) + "/task/" +
                                      std::to_string(running->pid()) + "/children").c_str(), "re");
    ASSERT_NE(children, nullptr);
    char text[32] = "";
    ASSERT_NE(std::fgets(text, sizeof text, children), nullptr);
    std::fclose(children);
    monitor = text;
  }
  ASSERT_EQ(::kill(std::stoi(monitor), SIGKILL), 0) << monitor;
  const command_output got = running->finish();
  if (got.code != 0) {
    EXPECT_EQ(got.code, 1);
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find("monitor was ended by signal 9"), std::string::npos) << got.err;
  }
  collect();
}

INSTANTIATE_TEST_SUITE_P(Phases, CommandKilled, testing::ValuesIn(phases), [](const auto& tested) {
  std::string name;
  for (const char c : tested.param)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  return name;
});

}  // namespace
}  // namespace berth_test
