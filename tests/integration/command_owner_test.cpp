// SPDX-License-Identifier: Apache-2.0
// What a sandbox's maker hands over, ends and hears of it: variables, --ends-with, a memory limit, limits of the host.
#include "support/command_fixture.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace berth_test {
namespace {

std::string shell(const std::string& script) {
  std::string text;
  std::FILE* pipe = ::popen(("exec 2>&1; " + script).c_str(), "re");
  if (pipe == nullptr) return "popen failed";
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) text.append(buffer, n);
  ::pclose(pipe);
  return text;
}

using CommandOwner = command_test;

TEST_F(CommandOwner, VariablesComeByNameAndByFileAndNobodySeesThem) {
  const std::string file = root_ + "-env";
  std::ofstream(file) << "# of the service\n\nTOKEN=value-4712-secret\nQUOTED=\"a b\"\n  BERTH_RUNSC\nNOBODY_HAS_IT\n";
  const std::string print = "echo $TOKEN $QUOTED $BERTH_RUNSC $LATE ${NOBODY_HAS_IT-unset}";
  const command_output made = run(
      run_words({"-d", "--id", "box", "--env-file", file, "-e", "LATE=1", "--", "sh", "-c", print + "; sleep 1000"}));
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(eventually([&] { return !run({"logs", "box"}).out.empty(); }));
  EXPECT_EQ(run({"logs", "box"}).out, "value-4712-secret \"a b\" " + runsc_ + " 1 unset\n");
  EXPECT_EQ(shell("grep -lsa '4712-secre[t]' /proc/[0-9]*/cmdline"), "");
  EXPECT_EQ(run({"exec", "-e", "BERTH_RUNSC=over", "--env-file", file, "box", "--", "sh", "-c", print}).out,
            "value-4712-secret \"a b\" over 1 unset\n");
  EXPECT_EQ(run({"exec", "-e", "BERTH_RUNSC", "box", "--", "sh", "-c", "echo $BERTH_RUNSC"}).out, runsc_ + "\n");
  EXPECT_EQ(run({"rm", "box"}).code, 0);

  std::ofstream(file) << "GOOD=1\nnot good=secret\n";
  const command_output wrong = run(run_words({"--env-file", file, "--", "true"}));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("line 2 of " + file), std::string::npos) << wrong.err;
  EXPECT_EQ(wrong.err.find("secret"), std::string::npos) << wrong.err;
  EXPECT_EQ(run({"exec", "--env-file", "/nonexistent", "box", "--", "true"}).code, 2);
  std::filesystem::remove(file);
}

// A process of ours that only lives.
pid_t idle_process() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (;;) ::pause();
  }
  return pid;
}

void kill_process(pid_t pid) {
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(CommandOwner, ASandboxEndsWithTheProcessThatItIsTiedTo) {
  for (const bool over : {false, true}) {  // also one whose own command has ended, which is kept until then
    SCOPED_TRACE(over);
    const pid_t owner = idle_process();
    std::vector<std::string> words{"-d", "--id", "tied", "--ends-with", std::to_string(owner)};
    if (over) words.insert(words.end(), {"--", "true"});
    const command_output made = run(run_words(words));
    ASSERT_EQ(made.code, 0) << made.err;
    if (over)
      EXPECT_TRUE(eventually([&] {
        return parsed_json(run({"status", "--json", "tied"}).out).at({"state"}) == "stopped";
      }));
    else EXPECT_EQ(run({"exec", "tied", "--", "echo", "up"}).out, "up\n");
    kill_process(owner);
    EXPECT_TRUE(eventually([&] { return run({"ls", "--ids"}).out.empty() && left_now().empty(); })) << left_now();
  }
  const command_output none = run(run_words({"-d", "--ends-with", "4194305"}));
  EXPECT_EQ(none.code, 2) << none.err;
}

TEST_F(CommandOwner, NotEvenTheEndOfItsWatchSavesIt) {
  const pid_t owner = idle_process();
  ASSERT_EQ(run(run_words({"-d", "--id", "tied", "--ends-with", std::to_string(owner)})).code, 0);
  const std::string monitor = parsed_json(run({"status", "--json", "tied"}).out).at({"creator", "pid"});
  ASSERT_EQ(::kill(std::stoi(monitor), SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return run({"ls", "--ids"}).out.empty(); }));
  kill_process(owner);
  EXPECT_TRUE(eventually([&] { return left_now().empty(); })) << left_now();
}

TEST_F(CommandOwner, RmOfATiedOneLeavesNobodyBehind) {
  const pid_t owner = idle_process();
  ASSERT_EQ(run(run_words({"-d", "--id", "tied", "--ends-with", std::to_string(owner)})).code, 0);
  const std::string watch = "pgrep -f '^[^ ]*berth-init watch " + root_ + " '";
  EXPECT_NE(shell(watch), "");
  EXPECT_EQ(run({"rm", "tied"}).code, 0);
  EXPECT_TRUE(eventually([&] { return shell(watch).empty(); }));
  kill_process(owner);
  EXPECT_TRUE(eventually([&] { return left_now().empty(); })) << left_now();
}

TEST_F(CommandOwner, AMemoryLimitThatWasReachedIsSaid) {
  ASSERT_EQ(run(run_words({"-d", "--id", "small", "--memory", "192Mi"})).code, 0);
  EXPECT_EQ(parsed_json(run({"status", "--json", "small"}).out).at({"exit_reason"}), "");
  const command_output killed = run({"exec", "small", "--", "tail", "/dev/zero"});
  EXPECT_EQ(killed.code, 1);
  EXPECT_NE(killed.err.find("killed at its memory limit of 192 MiB"), std::string::npos) << killed.err;
  EXPECT_EQ(parsed_json(run({"status", "--json", "small"}).out).at({"exit_reason"}), "out_of_memory");
  EXPECT_NE(run({"status", "small"}).out.find("out_of_memory"), std::string::npos);
  const command_output examined = run({"doctor", "small"});
  EXPECT_EQ(examined.code, 1);
  EXPECT_NE(examined.out.find("BERTH-MEMORY: the sandbox was killed at its memory limit"), std::string::npos)
      << examined.out;
  EXPECT_EQ(run({"rm", "small"}).code, 0);
}

// A program that touches its memory itself has it in a process of the host of its own, which the kernel may kill in the
// sandbox's place: the command ends with 137, and only the cgroup knows why.
TEST_F(CommandOwner, ACommandThatTheMemoryLimitEndedIsToldOf) {
  const std::vector<std::string> greedy{"perl", "-e", "push @a, 'x' x (10 << 20) while 1"};
  const auto tells = [](const command_output& of) {
    return of.code != 0 && of.err.find("killed at") != std::string::npos && of.err.find("192 MiB") != std::string::npos;
  };
  std::vector<std::string> words{"--memory", "192Mi", "--"};
  words.insert(words.end(), greedy.begin(), greedy.end());
  const command_output killed = run(run_words(words));
  EXPECT_TRUE(tells(killed)) << killed.err;

  ASSERT_EQ(run(run_words({"-d", "--id", "small", "--memory", "192Mi"})).code, 0);
  words = {"exec", "small", "--"};
  words.insert(words.end(), greedy.begin(), greedy.end());
  const command_output in_it = run(words);
  EXPECT_TRUE(tells(in_it)) << in_it.err;
  EXPECT_NE(parsed_json(run({"status", "--json", "small"}).out).at({"memory_kills"}), "0");
  EXPECT_EQ(run({"rm", "-f", "small"}).code, 0);

  // Killed by itself.
  const command_output other = run(run_words({"--memory", "192Mi", "--", "sh", "-c", "kill -9 $$"}));
  EXPECT_EQ(other.code, 128 + SIGKILL);
  EXPECT_EQ(other.err.find("memory limit"), std::string::npos) << other.err;
}

TEST_F(CommandOwner, TheDoctorNamesWhatIsWrongWithASandboxAndTheLineThatProvesIt) {
  ASSERT_EQ(run(run_words({"-d", "--id", "well"})).code, 0);
  const command_output well = run({"doctor", "well"});
  EXPECT_EQ(well.code, 0) << well.out;
  EXPECT_NE(well.out.find("Nothing is known to be wrong with it."), std::string::npos) << well.out;
  EXPECT_EQ(run({"rm", "-f", "well"}).code, 0);

  ASSERT_EQ(run(run_words({"-d", "--id", "sick", "--docker", "--dockerd-arg=--no-such-option"})).code, 0);
  EXPECT_NE(run({"wait", "sick"}).code, 0);
  const parsed_json sick(run({"doctor", "--json", "sick"}).out);
  EXPECT_EQ(sick.at({"ok"}), "false");
  EXPECT_EQ(sick.at({"findings", "0", "id"}), "BERTH-DOCKERD-ARGUMENT");
  EXPECT_NE(sick.at({"findings", "0", "evidence"}).find("no-such-option"), std::string::npos);
  EXPECT_NE(sick.at({"findings", "0", "remedy"}), "");
  EXPECT_EQ(run({"rm", "-f", "sick"}).code, 0);
  const command_output none = run({"doctor", "nobody"});
  EXPECT_EQ(none.code, 4) << none.err;
}

TEST_F(CommandOwner, LimitsThatGVisorCannotWorkWithAreNamed) {
  const std::string call =
      berth_ + " --root " + root_ + " --runsc " + runsc_ + " run --network none --rootfs " + rootfs_ + " -- true";
  const std::string no_space = shell("ulimit -v 1500000; " + call);
  EXPECT_NE(no_space.find("ulimit -v"), std::string::npos) << no_space;
  const std::string no_files = shell("ulimit -n 32; " + call);
  EXPECT_NE(no_files.find("ulimit -n"), std::string::npos) << no_files;
}

}  // namespace
}  // namespace berth_test
