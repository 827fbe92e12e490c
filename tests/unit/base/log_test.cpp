#include <berth/base/log.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(FormatConsole, WritesLevelMessageAndFields) {
  EXPECT_EQ(format_console({log_level::info, "docker daemon is ready and accepting commands", {{"retry_count", "3"}}}),
            "INF docker daemon is ready and accepting commands retry_count=3");
}

TEST(FormatConsole, QuotesWhatCouldForgeAFieldOrDriveATerminal) {
  EXPECT_EQ(format_console({log_level::error, "x", {{"a", "b c"}, {"d", ""}, {"e", "\x1b[2J\n\""}}}),
            "ERR x a=\"b c\" d=\"\" e=\"\\x1b[2J\\n\\\"\"");
}

TEST(FormatConsole, AMessageThatHoldsASandboxesWordsIsOneLineAndDrivesNoTerminal) {
  EXPECT_EQ(format_console({log_level::warn, "iptables: \x1b]0;x\a\nINF forged… \"q\"", {}}),
            "WRN iptables: \\x1b]0;x\\x07\\nINF forged… \"q\"");
}

TEST(Log, AnEmptySinkDropsTheEvent) {
  log({}, log_level::warn, "nobody listens");
  int seen = 0;
  log([&](const log_event& e) { seen += e.message == "heard"; }, log_level::debug, "heard");
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace berth
