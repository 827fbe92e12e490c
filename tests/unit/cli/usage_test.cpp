// Bad calls are refused with exit code 2, a message, and where to read more; nothing on standard output.
#include "capture.hpp"

#include <berth/spec/detail/document.hpp>

namespace berth::cli {
namespace {

struct bad_call {
  const char* name;
  std::vector<std::string> words;
  const char* says;
};

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
  if (words.empty() || words.front() == "monitor") return;
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
        bad_call{"NoVerb", {}, "a verb is needed"},
        bad_call{"UnknownVerb", {"launch"}, "'launch'"},
        bad_call{"MonitorByHand", {"monitor"}, "berth run -d"},
        bad_call{"RunWithoutRootfs", {"run", "--", "true"}, "--rootfs"},
        bad_call{"RunWithoutCommand", {"run", "--rootfs", "/"}, "no command"},
        bad_call{"RunWaitInForeground", {"run", "--rootfs", "/", "--wait", "--", "true"}, "--wait"},
        bad_call{"RunBadMemory", {"run", "--rootfs", "/", "--memory", "2x", "--", "true"}, "--memory"},
        bad_call{"RunZeroMemory", {"run", "--rootfs", "/", "--memory", "0", "--", "true"}, "--memory"},
        bad_call{"RunNegativeCpus", {"run", "--rootfs", "/", "--cpus", "-1", "--", "true"}, "--cpus"},
        bad_call{"RunTextCpus", {"run", "--rootfs", "/", "--cpus", "two", "--", "true"}, "--cpus"},
        bad_call{"RunBadNetwork", {"run", "--rootfs", "/", "--network", "host", "--", "true"}, "--network"},
        bad_call{"RunCgroupWithoutDocker", {"run", "--rootfs", "/", "--cgroup", "none", "--", "true"}, "--docker"},
        bad_call{"RunBadCgroup", {"run", "--rootfs", "/", "--docker", "--cgroup", "v2", "--", "true"}, "--cgroup"},
        bad_call{"RunBadDataRoot", {"run", "--rootfs", "/", "--docker", "--data-root", "tmpfs:1Q", "--", "true"},
                 "--data-root"},
        bad_call{"RunBadRestart", {"run", "--rootfs", "/", "--docker", "--restart", "always", "--", "true"}, "--restart"},
        bad_call{"RunBadRestartCount", {"run", "--rootfs", "/", "--docker", "--restart", "on-failure:x", "--", "true"},
                 "--restart"},
        bad_call{"RunBadTimeout", {"run", "--rootfs", "/", "--timeout", "soon", "--", "true"}, "--timeout"},
        bad_call{"RunZeroTimeout", {"run", "--rootfs", "/", "--timeout", "0", "--", "true"}, "--timeout"},
        bad_call{"RunBadEnv", {"run", "--rootfs", "/", "--env", "A", "--", "true"}, "--env"},
        bad_call{"RunEnvWithoutName", {"run", "--rootfs", "/", "--env", "=b", "--", "true"}, "--env"},
        bad_call{"RunBadVolume", {"run", "--rootfs", "/", "--volume", "/a", "--", "true"}, "--volume"},
        bad_call{"RunRelativeVolume", {"run", "--rootfs", "/", "--volume", "/a:b", "--", "true"}, "--volume"},
        bad_call{"RunBadLabel", {"run", "--rootfs", "/", "--label", "x", "--", "true"}, "--label"},
        bad_call{"RunBadId", {"run", "--rootfs", "/", "--id", "../x", "--", "true"}, "id"},
        bad_call{"RunUnknownOption", {"run", "--rootfs", "/", "--privileged", "--", "true"}, "--privileged"},
        bad_call{"RunQuietAndVerbose", {"run", "--rootfs", "/", "-q", "-v", "--", "true"}, "--quiet"},
        bad_call{"RunLogFormat", {"run", "--rootfs", "/", "--log-format", "xml", "--", "true"}, "--log-format"},
        bad_call{"ExecWithoutId", {"exec"}, "ID"},
        bad_call{"ExecWithoutCommand", {"exec", "box"}, "no command"},
        bad_call{"ExecUnknownOption", {"exec", "--tty", "box", "--", "true"}, "--tty"},
        bad_call{"ExecOptionBehindId", {"exec", "box", "--tty", "true"}, "--tty"},
        bad_call{"ExecBadEnv", {"exec", "-e", "A", "box", "--", "true"}, "--env"},
        bad_call{"ExecBadTimeout", {"exec", "--timeout", "-3", "box", "--", "true"}, "--timeout"},
        bad_call{"DockerWithoutArgs", {"docker", "box"}, "no docker command"},
        bad_call{"DockerInsideAndHost", {"docker", "--inside", "--host", "box", "--", "ps"}, "--inside"},
        bad_call{"EnvWithoutId", {"env"}, "ID"},
        bad_call{"EnvTwoIds", {"env", "a", "b"}, "b"},
        bad_call{"WaitBadTimeout", {"wait", "box", "--timeout", "1y"}, "--timeout"},
        bad_call{"StatusWithoutId", {"status"}, "ID"},
        bad_call{"LogsWithoutId", {"logs"}, "ID"},
        bad_call{"ExportWithoutFile", {"export", "box"}, "--output"},
        bad_call{"RmWithoutId", {"rm"}, "ID"},
        bad_call{"LsWithCommand", {"ls", "--", "x"}, "no command"},
        bad_call{"GcWithArgument", {"gc", "x"}, "x"},
        bad_call{"SpecWithoutVerb", {"spec"}, "subcommand"},
        bad_call{"SpecBadCgroup", {"spec", "docker", "--cgroup", "v2"}, "--cgroup"},
        bad_call{"SpecBadDataRoot", {"spec", "docker", "--data-root", "tmpfs:"}, "--data-root"},
        bad_call{"RunscWithoutVerb", {"runsc"}, "subcommand"},
        bad_call{"RunscWithoutBundle", {"runsc", "run", "box"}, "--bundle"},
        bad_call{"RunscExecWithoutCommand", {"runsc", "exec", "box"}, "no command"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Usage, HelpOfEveryVerbHasExamples) {
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"run"}, {"exec"}, {"docker"}, {"env"}, {"wait"}, {"status"}, {"logs"}, {"ls"}, {"export"}, {"rm"},
        {"gc"}, {"doctor"}, {"spec", "docker"}, {"runsc"}}) {
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
