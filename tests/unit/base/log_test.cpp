// SPDX-License-Identifier: Apache-2.0
#include <berth/base/log.hpp>
#include <berth/base/visible_text.hpp>

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

TEST(FormatConsole, AlsoWhatIsNoAscii) {
  EXPECT_EQ(format_console({log_level::warn, "\u009b2J\x9b", {{"a", "\u202eb"}, {"c", "\xff"}, {"d", "é…"}}}),
            "WRN \\xc2\\x9b2J\\x9b a=\"\\xe2\\x80\\xaeb\" c=\"\\xff\" d=é…");
}

TEST(ShownLength, IsOfTheCharactersThatATerminalShows) {
  for (const std::string_view text : {"a", " ", "~", "\u00a0", "é", "…", "\uffff", "\U0001f600", "\U0010ffff"})
    EXPECT_EQ(shown_length(text), text.size()) << text;
  const std::string_view not_shown[] = {{"\0", 1},
                                        "\x1b",
                                        "\r",
                                        "\x7f",
                                        "\u0080",
                                        "\u009f",
                                        "\x80",
                                        "\xc2",
                                        "\xc1\xbf",
                                        "\xe0\x9f\xbf",
                                        "\xed\xa0\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xe2\x80",
                                        "\xe2\x28\xa1",
                                        "\u2028",
                                        "\u202e",
                                        "\u2066"};
  for (const std::string_view text : not_shown) EXPECT_EQ(shown_length(text), 0u) << text.size();
}

TEST(Log, AnEmptySinkDropsTheEvent) {
  log({}, log_level::warn, "nobody listens");
  int seen = 0;
  log([&](const log_event& e) { seen += e.message == "heard"; }, log_level::debug, "heard");
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace berth
