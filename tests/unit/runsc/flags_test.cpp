// SPDX-License-Identifier: Apache-2.0
#include "texts.hpp"

#include <berth/runsc/flags.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace berth {
namespace {

const runsc_flag* find(const std::vector<runsc_flag>& flags, std::string_view name) {
  const auto at = std::find_if(flags.begin(), flags.end(), [&](const runsc_flag& f) { return f.name == name; });
  return at == flags.end() ? nullptr : &*at;
}

TEST(RunscFlags, ReadsAllOptionsOfEachRelease) {
  // Counted by hand: grep -c '^  -' flags.txt.
  EXPECT_EQ(parse_runsc_flags(test::texts_of("20221219").flags)->size(), 68u);
  EXPECT_EQ(parse_runsc_flags(test::texts_of("20240729").flags)->size(), 88u);
  EXPECT_EQ(parse_runsc_flags(test::texts_of("20260701").flags)->size(), 111u);
}

TEST(RunscFlags, ReadsKindAndDefault) {
  const auto flags = parse_runsc_flags(test::texts_of("20260701").flags);
  ASSERT_TRUE(flags);
  ASSERT_NE(find(*flags, "platform"), nullptr);
  EXPECT_EQ(*find(*flags, "platform"), (runsc_flag{"platform", "string", "systrap", false}));
  EXPECT_EQ(*find(*flags, "dcache"), (runsc_flag{"dcache", "int", "-1", false}));
  EXPECT_EQ(*find(*flags, "debug"), (runsc_flag{"debug", "", "", false}));
  EXPECT_EQ(find(*flags, "overlay2")->default_value, "root:self");  // on the last of seven lines
  EXPECT_TRUE(find(*flags, "cgroupfs")->no_effect);
  EXPECT_FALSE(find(*flags, "fsgofer-host-uds")->no_effect);  // deprecated, and yet heeded
  EXPECT_NE(find(*flags, "h"), nullptr);
  EXPECT_NE(find(*flags, "platform_device_path"), nullptr);
}

TEST(RunscFlags, IsSortedAndWithoutRepetition) {
  const auto flags = parse_runsc_flags("  -b\n    \tx\n  -a\n    \ty\n  -b\n    \tz\n");
  ASSERT_TRUE(flags);
  ASSERT_EQ(flags->size(), 2u);
  EXPECT_EQ((*flags)[0].name, "a");
  EXPECT_EQ((*flags)[1].name, "b");
}

TEST(RunscFlags, FindsTheOptionThatOldUsageTextsRunInto) {
  const auto flags = parse_runsc_flags(test::texts_of("20221219").help.at("delete"));
  ASSERT_TRUE(flags);
  EXPECT_EQ(*flags, (std::vector<runsc_flag>{{"force", "", "", false}}));
  const auto kill = parse_runsc_flags(test::texts_of("20240729").help.at("kill"));
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->size(), 2u);
  EXPECT_NE(find(*kill, "all"), nullptr);
  EXPECT_NE(find(*kill, "pid"), nullptr);
}

TEST(RunscFlags, TakesNoOptionOutOfExamples) {
  const auto flags = parse_runsc_flags(test::texts_of("20260701").help.at("exec"));
  ASSERT_TRUE(flags);
  EXPECT_EQ(find(*flags, "env")->value, "value");
  EXPECT_EQ(flags->size(), 14u);
  EXPECT_FALSE(parse_runsc_flags("run it as:\n\n\t# runsc port-forward --stream /tmp/pipe nginx 80\n"));
}

TEST(RunscFlags, RefusesWhatHoldsNone) {
  EXPECT_EQ(parse_runsc_flags("").error().code, errc::runsc_output);
  EXPECT_EQ(parse_runsc_flags("no options here\n").error().code, errc::runsc_output);
  EXPECT_EQ(parse_runsc_flags(std::string((1u << 20) + 1, 'x')).error().code, errc::too_big);
}

TEST(RunscFlagHistory, AgreesWithTheThreeReleases) {
  // What the table says of an option must hold for each release that is kept here.
  for (const char* release : {"20221219", "20240729", "20260701"}) {
    const runsc_binary binary = test::binary_of(release);
    const auto check = [&](std::string_view verb, std::string_view name) {
      const runsc_flag_history* const h = find_runsc_flag_history(verb, name);
      ASSERT_NE(h, nullptr) << verb << " " << name;
      const bool there = binary.version().at_least(h->since) && !(h->until != 0 && binary.version().at_least(h->until));
      EXPECT_EQ(name.empty() ? binary.has_verb(verb) : binary.has(verb, name), there)
          << release << ": " << verb << " --" << name;
    };
    for (const char* name : {"allow-connected-on-save", "allow-packet-socket-write", "allow-suid", "dcache", "directfs",
                             "fdlimit", "host-settings", "host-uds", "ignore-cgroups", "oci-seccomp", "overlay2",
                             "reproduce-nat", "TESTONLY-allow-packet-endpoint-write"})
      check("", name);
    for (const char* name : {"compression", "direct", "exclude-committed-zero-pages", "save-restore-exec-argv"})
      check("checkpoint", name);
    for (const char* name : {"background", "direct", "fs-restore-direct", "fs-restore-image-path"})
      check("restore", name);
    for (const char* name : {"exec-fd", "pass-fd", "fs-restore-direct", "fs-restore-image-path"}) check("run", name);
    for (const char* name : {"exec-fd", "pass-fd"}) check("exec", name);
    check("wait", "restore");
    check("kill", "pgid");
    check("list", "sandbox");
    check("fscheckpoint", "");
    check("tar", "");
  }
}

}  // namespace
}  // namespace berth
