// SPDX-License-Identifier: Apache-2.0
// Bad calls are refused with exit code 2, a message, and where to read more; nothing on standard output.
#include "capture.hpp"

#include <options/options.hpp>

#include <berth/spec/detail/document.hpp>

#include <algorithm>
#include <cstdlib>

namespace berth::cli {
namespace {

struct bad_call {
  const char* name;
  std::vector<std::string> words;
  const char* says;
};

void PrintTo(const bad_call& call, std::ostream* out) { *out << call.name; }

class BadUsage : public testing::TestWithParam<bad_call> {};

TEST_P(BadUsage, EndsWithTwoAndSaysWhy) {
  const test::outcome got = test::run(GetParam().words);
  EXPECT_EQ(got.code, 2);
  EXPECT_EQ(got.out, "");
  EXPECT_TRUE(got.err.starts_with("berth: ")) << got.err;
  EXPECT_NE(got.err.find(GetParam().says), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("--help"), std::string::npos) << got.err;
}

TEST_P(BadUsage, IsJsonWithTheJsonOption) {
  std::vector<std::string> words = GetParam().words;
  if (words.empty()) return;
  words.insert(words.begin() + (words.front().starts_with('-') ? 0 : 1), "--json");
  if (words.front() == "spec" || words.front() == "runsc") std::swap(words[0], words[1]);
  const test::outcome got = test::run(words);
  EXPECT_EQ(got.code, 2);
  EXPECT_EQ(got.out, "");
  detail::json_document document;
  const auto parsed = document.parse(got.err);
  ASSERT_TRUE(parsed) << got.err;
  const auto* e = detail::find_member(&document.root, "error");
  ASSERT_NE(e, nullptr) << got.err;
  EXPECT_EQ(detail::text_of(*detail::find_member(e, "code")), "invalid");
}

INSTANTIATE_TEST_SUITE_P(
    Calls, BadUsage,
    testing::Values(
        bad_call{"NoVerb", {}, "a verb is needed"}, bad_call{"UnknownVerb", {"launch"}, "'launch'"},
        bad_call{"RunWithoutRootfs", {"run", "--", "true"}, "--rootfs"},
        bad_call{"RunWithoutCommand", {"run", "--rootfs", "/"}, "no command"},
        bad_call{"RunWaitInForeground", {"run", "--rootfs", "/", "--wait", "--", "true"}, "--wait"},
        bad_call{"RunBadMemory", {"run", "--rootfs", "/", "--memory", "2x", "--", "true"}, "--memory"},
        bad_call{"RunZeroMemory", {"run", "--rootfs", "/", "--memory", "0", "--", "true"}, "--memory"},
        bad_call{"RunAmbiguousMemory",
                 {"run", "--rootfs", "/", "--memory", "2G", "--", "true"},
                 "write 2Gi, or 2000000000 for powers of 1000"},
        bad_call{"RunSmallMemory", {"run", "--rootfs", "/", "--memory", "1m", "--", "true"}, "less than 64 MiB"},
        bad_call{"RunNegativeCpus", {"run", "--rootfs", "/", "--cpus", "-1", "--", "true"}, "--cpus"},
        bad_call{"RunSmallCpus", {"run", "--rootfs", "/", "--cpus", "0.001", "--", "true"}, "--cpus"},
        bad_call{"RunHexCpus", {"run", "--rootfs", "/", "--cpus", "0x2", "--", "true"}, "--cpus"},
        bad_call{"RunTextCpus", {"run", "--rootfs", "/", "--cpus", "two", "--", "true"}, "--cpus"},
        bad_call{"RunBadNetwork", {"run", "--rootfs", "/", "--network", "host", "--", "true"}, "--network"},
        bad_call{"RunNegativeConnections",
                 {"run", "--rootfs", "/", "--max-connections", "-1", "--", "true"},
                 "--max-connections"},
        bad_call{"RunTooManyConnections",
                 {"run", "--rootfs", "/", "--max-connections", "4294967295", "--", "true"},
                 "--max-connections"},
        bad_call{"RunConnectionsWithoutNetwork",
                 {"run", "--rootfs", "/", "--network", "none", "--max-connections", "9", "--", "true"},
                 "max_connections"},
        bad_call{"RunEgressOfNoWholeName",
                 {"run", "--rootfs", "/", "--egress", "example:443", "--", "true"},
                 "--egress: the name of the egress rule 'example:443' has no dot"},
        bad_call{"RunEgressWithoutNetwork",
                 {"run", "--rootfs", "/", "--network", "none", "--egress", "none", "--", "true"},
                 "--egress: egress rules go with the network mode `sandbox` only"},
        bad_call{"RunEgressInTheCallersNetwork",
                 {"run", "--rootfs", "/", "--network", "/run/netns/x", "--egress", "none", "--", "true"},
                 "--egress: egress rules cannot be enforced here"},
        bad_call{"RunEgressLinkLocal",
                 {"run", "--rootfs", "/", "--egress", "169.254.169.254", "--", "true"},
                 "--egress: the egress rule '169.254.169.254' is link-local"},
        bad_call{"EgressWithoutSet", {"egress", "box", "none"}, "'none' is nothing to do with egress"},
        bad_call{"EgressSetsNothing", {"egress", "box", "set"}, "set: there is no egress rule"},
        bad_call{"EgressSetsNoName",
                 {"egress", "box", "set", "a..example"},
                 "set: the name of the egress rule 'a..example' has two"},
        bad_call{"RunCgroupWithoutDocker", {"run", "--rootfs", "/", "--cgroup", "none", "--", "true"}, "--docker"},
        bad_call{"RunBadCgroup", {"run", "--rootfs", "/", "--docker", "--cgroup", "v2", "--", "true"}, "--cgroup"},
        bad_call{"RunBadDataRoot",
                 {"run", "--rootfs", "/", "--docker", "--data-root", "tmpfs:1Q", "--", "true"},
                 "--data-root"},
        bad_call{
            "RunBadRestart", {"run", "--rootfs", "/", "--docker", "--restart", "always", "--", "true"}, "--restart"},
        bad_call{"RunBadRestartCount",
                 {"run", "--rootfs", "/", "--docker", "--restart", "on-failure:x", "--", "true"},
                 "--restart"},
        bad_call{"RunBadTimeout", {"run", "--rootfs", "/", "--timeout", "soon", "--", "true"}, "--timeout"},
        bad_call{"RunZeroTimeout", {"run", "--rootfs", "/", "--timeout", "0", "--", "true"}, "--timeout"},
        bad_call{"RunBadLifetime", {"run", "--rootfs", "/", "--lifetime", "1d", "--", "true"}, "--lifetime"},
        bad_call{"RunZeroLifetime", {"run", "--rootfs", "/", "--lifetime=0", "-d"}, "--lifetime"},
        bad_call{"RunScientificLifetime", {"run", "--rootfs", "/", "--lifetime", "2.592e+06", "-d"}, "--lifetime"},
        bad_call{"RunBadIdleTimeout", {"run", "--rootfs", "/", "--idle-timeout", "soon", "-d"}, "--idle-timeout"},
        bad_call{"RunShortIdleTimeout",
                 {"run", "--rootfs", "/", "--idle-timeout", "500ms", "-d"},
                 "one second at the least"},
        bad_call{"RunBadEnv", {"run", "--rootfs", "/", "--env", "=A", "--", "true"}, "--env"},
        bad_call{"RunEnvWithoutName", {"run", "--rootfs", "/", "--env", "=b", "--", "true"}, "--env"},
        bad_call{"RunBadVolume", {"run", "--rootfs", "/", "--volume", "/a:", "--", "true"}, "--volume"},
        bad_call{"RunRelativeVolume", {"run", "--rootfs", "/", "--volume", "/a:b", "--", "true"}, "--volume"},
        bad_call{"RunBadLabel", {"run", "--rootfs", "/", "--label", "x", "--", "true"}, "--label"},
        bad_call{"RunBadId", {"run", "--rootfs", "/", "--id", "../x", "--", "true"}, "id"},
        bad_call{"RunEmptyId", {"run", "--rootfs", "/", "--id", "", "--", "true"}, "--id: the value is empty"},
        bad_call{"RunEmptyIdByEquals", {"run", "--id=", "--rootfs", "/", "--", "true"}, "--id: the value is empty"},
        bad_call{"RunEmptyName", {"run", "--name=", "--rootfs", "/", "--", "true"}, "the value is empty"},
        bad_call{
            "RunEmptyMemory", {"run", "--rootfs", "/", "--memory", "", "--", "true"}, "--memory: the value is empty"},
        bad_call{"RunEmptyRoot", {"run", "--root", "", "--rootfs", "/", "--", "true"}, "--root: the value is empty"},
        bad_call{"RunLongIdAndRoot",
                 {"run", "--root", "/very/long/way/down/to/it", "--rootfs", "/", "--id",
                  "an-id-of-some-sixty-characters-which-is-more-than-there-is-room-for", "--", "true"},
                 "longer than 63"},
        bad_call{"RunNoRoomForTheId",
                 {"run", "--root", "/a/root/directory/of/forty/characters/dear", "--rootfs", "/", "--id",
                  "forty-characters-for-an-id-are-not-many.", "--", "true"},
                 "77 are the most"},
        bad_call{"RunNetworkTwice",
                 {"run", "--rootfs", "/", "--network", "none", "--network", "sandbox", "--", "true"},
                 "--network is given 2 times"},
        bad_call{"RunMemoryThrice",
                 {"run", "-m", "1Gi", "--rootfs", "/", "--memory=2Gi", "-m3Gi", "--", "true"},
                 "--memory is given 3 times"},
        bad_call{
            "RunIdAndName", {"run", "--rootfs", "/", "--id", "a", "--name", "a", "--", "true"}, "is given 2 times"},
        bad_call{"RunRootTwice",
                 {"--root", "/a", "run", "--root", "/b", "--rootfs", "/", "--", "true"},
                 "--root is given 2 times"},
        bad_call{"RootTwiceWithoutVerb", {"--root", "/a", "--root", "/b"}, "--root is given 2 times"},
        bad_call{"RunUnknownOption", {"run", "--rootfs", "/", "--privileged", "--", "true"}, "--privileged"},
        bad_call{"RunQuietAndVerbose", {"run", "--rootfs", "/", "-q", "-v", "--", "true"}, "--quiet"},
        bad_call{"RunLogFormat", {"run", "--rootfs", "/", "--log-format", "xml", "--", "true"}, "--log-format"},
        bad_call{"ExecWithoutId", {"exec"}, "ID"}, bad_call{"ExecWithoutCommand", {"exec", "box"}, "no command"},
        bad_call{"ExecUnknownOption", {"exec", "--privileged", "box", "--", "true"}, "--privileged"},
        bad_call{"ExecOptionBehindId", {"exec", "box", "--privileged", "true"}, "--privileged"},
        bad_call{"ExecTty", {"exec", "-t", "box", "sh"}, "standard input is none"},
        bad_call{"ExecTtyAsDockerHasIt", {"exec", "-it", "box", "sh"}, "standard input is none"},
        bad_call{"ExecTtyTheOtherWayRound", {"exec", "-ti", "box", "--", "sh"}, "standard input is none"},
        bad_call{"ExecTtyBehindId", {"exec", "box", "-it", "sh"}, "standard input is none"},
        bad_call{"ShellWithoutATerminal", {"shell", "box"}, "use berth exec without --tty"},
        bad_call{"ExecBadEnv", {"exec", "-e", "=A", "box", "--", "true"}, "--env"},
        bad_call{"ExecBadTimeout", {"exec", "--timeout", "-3", "box", "--", "true"}, "--timeout"},
        bad_call{"DockerWithoutArgs", {"docker", "box"}, "no docker command"},
        bad_call{"DockerInsideAndHost", {"docker", "--inside", "--host", "box", "--", "ps"}, "--inside"},
        bad_call{"EnvWithoutId", {"env"}, "ID"}, bad_call{"EnvTwoIds", {"env", "a", "b"}, "b"},
        bad_call{"WaitBadTimeout", {"wait", "box", "--timeout", "1y"}, "--timeout"},
        bad_call{"StatusWithoutId", {"status"}, "ID"}, bad_call{"LogsWithoutId", {"logs"}, "ID"},
        bad_call{"CommitWithoutImage", {"commit", "box"}, "IMAGE"},
        bad_call{"CommitWithoutTag", {"commit", "box", "/srv/images"}, "LAYOUT:TAG"},
        bad_call{"CommitTagOfADirectory", {"commit", "box", "/srv:a/images"}, "LAYOUT:TAG"},
        bad_call{"CommitBadTag", {"commit", "box", "/srv/images:-x"}, "an image's tag is"},
        bad_call{"CommitEmptyTag", {"commit", "box", "/srv/images:"}, "an image's tag is"},
        bad_call{"CommitColonInLayout", {"commit", "box", "/srv/a:b:v1"}, "colon"},
        bad_call{"CommitBadArray", {"commit", "box", "/srv/images:v1", "--cmd", "[1]"}, "--cmd: not a JSON array"},
        bad_call{"CommitOpenArray",
                 {"commit", "box", "/srv/images:v1", "--entrypoint", "[\"a\""},
                 "--entrypoint: not a JSON array"},
        bad_call{"CommitEmptyWord", {"commit", "box", "/srv/images:v1", "--cmd", "[\"\"]"}, "an empty word"},
        bad_call{"CommitRelativeWorkdir", {"commit", "box", "/srv/images:v1", "-w", "srv"}, "an absolute path"},
        bad_call{"ExportWithoutFile", {"export", "box"}, "--output"}, bad_call{"RmWithoutId", {"rm"}, "ID"},
        bad_call{"RmEmptyId", {"rm", "box", ""}, "ID: the value is empty"},
        bad_call{"StatusEmptyId", {"status", ""}, "ID: the value is empty"},
        bad_call{"LsWithCommand", {"ls", "--", "x"}, "no command"}, bad_call{"GcWithArgument", {"gc", "x"}, "x"},
        bad_call{"DoctorIdAndImage", {"doctor", "box", "--image", "a"}, "--image"},
        bad_call{"DoctorRootfsAndImage", {"doctor", "--rootfs", "/", "--image", "a"}, "--image"},
        bad_call{"DoctorBadImage", {"doctor", "--image", "A b"}, "--image: 'A b' is not the name of an image"},
        bad_call{"SpecWithoutVerb", {"spec"}, "a verb of berth spec is needed"},
        bad_call{"SpecBadCgroup", {"spec", "docker", "--cgroup", "v2"}, "--cgroup"},
        bad_call{"SpecBadDataRoot", {"spec", "docker", "--data-root", "tmpfs:"}, "--data-root"},
        bad_call{"RunscWithoutVerb", {"runsc"}, "a verb of berth runsc is needed"},
        bad_call{"RunscUnknownVerb", {"runsc", "nope", "box"}, "no verb of berth runsc is called 'nope'"},
        bad_call{"RunscWithoutBundle", {"runsc", "run", "box"}, "--bundle"},
        bad_call{"RunscExecWithoutCommand", {"runsc", "exec", "box"}, "no command"}),
    [](const auto& tested) { return std::string(tested.param.name); });

// Whatever is no number is refused in a line, and not with the 300 digits of the largest one.
TEST(Usage, NumbersAreRefusedInFewWords) {
  const std::string digits(500, '9');
  for (const char* option : {"--cpus", "--memory", "--timeout", "--data-root", "--restart"}) {
    for (const std::string& value :
         {std::string("-1"), std::string("-0"), std::string("inf"), std::string("nan"), std::string("1e308"),
          std::string("-1e308"), std::string("0x1p3"), digits, "-" + digits}) {
      const std::string prefix = option == std::string_view("--data-root") ? "tmpfs:"
                                 : option == std::string_view("--restart") ? "on-failure:"
                                                                           : "";
      const test::outcome got = test::run({"run", "--rootfs", "/", "--docker", option, prefix + value, "--", "true"});
      EXPECT_EQ(got.code, 2) << option << " " << value;
      EXPECT_EQ(got.err.rfind(std::string("berth: ") + option, 0), 0u) << got.err;
      EXPECT_LT(got.err.size(), 300u) << got.err;
    }
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"runsc", "kill", "box", "--pid"}, {"runsc", "events", "box", "--interval"}}) {
    for (const char* value : {"1e308", "inf", "nan", "99999999999999999999"}) {
      std::vector<std::string> all = words;
      all.push_back(value);
      const test::outcome got = test::run(all);
      EXPECT_EQ(got.code, 2) << got.err;
      EXPECT_LT(got.err.size(), 300u) << got.err;
    }
  }
}

// The variable is read by every verb that has to do with sandboxes, and each says the same of it.
TEST(Usage, ARelativeRootIsTheSameErrorToEveryVerb) {
  const std::vector<std::vector<std::string>> calls = {{"run", "--rootfs", "/", "--", "true"},
                                                       {"exec", "box", "--", "true"},
                                                       {"shell", "box"},
                                                       {"docker", "box", "--", "ps"},
                                                       {"env", "box"},
                                                       {"wait", "box"},
                                                       {"status", "box"},
                                                       {"logs", "box"},
                                                       {"ls"},
                                                       {"export", "box", "--output", "/x"},
                                                       {"commit", "box", "/x:y"},
                                                       {"rm", "box"},
                                                       {"gc"},
                                                       {"doctor"},
                                                       {"runsc", "list"}};
  const char* before = std::getenv("BERTH_ROOT");
  const std::string saved = before == nullptr ? "" : before;
  for (const char* root : {"relative/root", ".", "/has,comma"}) {
    ::setenv("BERTH_ROOT", root, 1);
    std::string first;
    for (const std::vector<std::string>& words : calls) {
      const test::outcome got = test::run(words);
      EXPECT_EQ(got.code, 2) << words.front() << ": " << got.err;
      EXPECT_EQ(got.out, "");
      const std::string line = got.err.substr(0, got.err.find('\n'));
      EXPECT_EQ(line.rfind("berth: BERTH_ROOT: ", 0), 0u) << line;
      if (first.empty()) first = line;
      EXPECT_EQ(line, first);
    }
  }
  if (before == nullptr) ::unsetenv("BERTH_ROOT");
  else ::setenv("BERTH_ROOT", saved.c_str(), 1);
}

// What stands behind a command's first word is the command's, an empty value too.
TEST(Usage, TheCommandsOwnWordsAreLeftAlone) {
  std::vector<std::string> got;
  invocation call;
  CLI::App app;
  std::string id;
  takes_command(app);
  app.add_option("ID", id);
  refuse_empty_values(app);
  std::vector<std::string> words = mark_empty_values({"box", "tool", "--empty=", "--full=x", "", "-="});
  std::reverse(words.begin(), words.end());
  app.parse(words);
  call.verb = &app;
  EXPECT_EQ(id, "box");
  EXPECT_EQ(call.command_line().value(), (std::vector<std::string>{"tool", "--empty=", "--full=x", "", "-="}));
}

TEST(Usage, HelpOfEveryVerbHasExamples) {
  for (const std::vector<std::string>& verb : {std::vector<std::string>{"run"},
                                               {"exec"},
                                               {"shell"},
                                               {"docker"},
                                               {"env"},
                                               {"wait"},
                                               {"status"},
                                               {"logs"},
                                               {"ls"},
                                               {"export"},
                                               {"commit"},
                                               {"rm"},
                                               {"gc"},
                                               {"doctor"},
                                               {"spec", "docker"},
                                               {"runsc"}}) {
    std::vector<std::string> words = verb;
    words.push_back("--help");
    const test::outcome got = test::run(words);
    EXPECT_EQ(got.code, 0);
    EXPECT_NE(got.out.find("Usage: berth " + verb.front()), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("Examples:\n  "), std::string::npos) << verb.front();
  }
}

TEST(Usage, VersionIsPrinted) {
  const test::outcome got = test::run({"--version"});
  EXPECT_EQ(got.code, 0);
  EXPECT_TRUE(got.out.starts_with("berth 0.")) << got.out;
}

}  // namespace
}  // namespace berth::cli
