// SPDX-License-Identifier: Apache-2.0
#include "../directory.hpp"

#include <berth/managed/purpose.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace berth::test {
namespace {

namespace fs = std::filesystem;

TEST(SandboxPurpose, ComesBackAsWritten) {
  const directory where;
  sandbox_purpose purpose;
  purpose.detached = true;
  purpose.docker = true;
  purpose.command = {"sh", "-c", "exit 3"};
  ASSERT_TRUE(write_purpose(where.path(), purpose));
  const auto got = read_purpose(where.path());
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_TRUE(got->detached);
  EXPECT_TRUE(got->docker);
  EXPECT_EQ(got->command, purpose.command);
  EXPECT_EQ(std::distance(fs::directory_iterator(where.path()), fs::directory_iterator()), 1);
}

TEST(SandboxPurpose, ALongCommandLineIsCut) {
  const directory where;
  sandbox_purpose purpose;
  std::string umlauts;
  while (umlauts.size() < (100u << 10)) umlauts += "\u00fc";
  for (const std::string& word : {std::string(2u << 20, '\x01'), umlauts, "x" + umlauts}) {
    purpose.command = {"sh", "-c", word, "last"};
    ASSERT_TRUE(write_purpose(where.path(), purpose));
    const auto got = read_purpose(where.path());
    ASSERT_TRUE(got) << got.error().to_string();
    ASSERT_EQ(got->command.size(), 3u);
    EXPECT_EQ(got->command[1], "-c");
    const std::string& cut = got->command[2];
    EXPECT_TRUE(cut.ends_with("\u2026"));
    EXPECT_TRUE(word.starts_with(cut.substr(0, cut.size() - 3)));
  }
  purpose.command.assign(1u << 20, "");
  ASSERT_TRUE(write_purpose(where.path(), purpose));
  EXPECT_TRUE(read_purpose(where.path()));
}

TEST(SandboxPurpose, DamageAndAbsenceAreApart) {
  const directory where;
  const std::string path = where / "run.json";
  EXPECT_EQ(read_purpose(where.path()).error().code, errc::not_found);
  std::ofstream(path) << "{\"command\":";
  EXPECT_EQ(read_purpose(where.path()).error().code, errc::record_damaged);
  fs::remove(path);
  fs::create_symlink("/etc/passwd", path);
  EXPECT_FALSE(read_purpose(where.path()));
}

}  // namespace
}  // namespace berth::test
