// SPDX-License-Identifier: Apache-2.0
#include <berth/runsc/version.hpp>

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(RunscVersion, ReadsTheFormsThatBuildsCarry) {
  EXPECT_EQ(parse_runsc_version("release-20260701.0"), (runsc_version{"release-20260701.0", 20260701, 0}));
  EXPECT_EQ(parse_runsc_version("release-20190529.1"), (runsc_version{"release-20190529.1", 20190529, 1}));
  EXPECT_EQ(parse_runsc_version("release-20240807.0-21-g1a2b3c4d5").date, 20240807u);
  EXPECT_EQ(parse_runsc_version("0.0~20240729.0").date, 20240729u);                      // Debian
  EXPECT_EQ(parse_runsc_version("v0.0.0-20260701204157-69c2d17aea96").date, 20260701u);  // a Go module
}

TEST(RunscVersion, IsUnknownWhereThereIsNoDate) {
  for (const char* text : {"VERSION_MISSING", "", "v1.2.3", "release-20261301.0", "release-20260732.0", "12345678",
                           "release-202607011.0", "99999999"}) {
    EXPECT_FALSE(parse_runsc_version(text).known()) << text;
    EXPECT_FALSE(parse_runsc_version(text).at_least(0)) << text;
    EXPECT_EQ(parse_runsc_version(text).text, text);
  }
}

TEST(RunscVersion, Compares) {
  const runsc_version v = parse_runsc_version("release-20260701.1");
  EXPECT_TRUE(v.at_least(20260701));
  EXPECT_TRUE(v.at_least(20260701, 1));
  EXPECT_FALSE(v.at_least(20260701, 2));
  EXPECT_TRUE(v.at_least(20251208));
  EXPECT_FALSE(v.at_least(20260702));
}

TEST(RunscVersion, ReadsTheCommandsOutput) {
  const auto v = parse_runsc_version_output("runsc version release-20260701.0\nspec: 1.2.1\n");
  ASSERT_TRUE(v) << v.error().to_string();
  EXPECT_EQ(v->text, "release-20260701.0");
  EXPECT_EQ(parse_runsc_version_output("some warning\nrunsc version VERSION_MISSING\r\n")->text, "VERSION_MISSING");
}

TEST(RunscVersion, RefusesOtherPrograms) {
  for (const char* text : {"", "runc version 1.3.6\n", "runsc version \n", "xrunsc version release-20260701.0"}) {
    const auto v = parse_runsc_version_output(text);
    ASSERT_FALSE(v) << text;
    EXPECT_EQ(v.error().code, errc::runsc_output);
  }
}

}  // namespace
}  // namespace berth
