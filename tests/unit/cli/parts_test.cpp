// SPDX-License-Identifier: Apache-2.0
// The parts of the command that need no sandbox.
#include <log_file.hpp>
#include <options/options.hpp>
#include <output.hpp>

#include "../directory.hpp"
#include "capture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

using ::berth::test::directory;

std::string content(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Output, ControlCharactersAreShown) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\td"), "a\\x1b[2Jb\nc\td");
  EXPECT_EQ(printable("a\nb\tc", false), "a\\x0ab\\x09c");
  EXPECT_EQ(printable("\u009b2J é \xff\u202e"), "\\xc2\\x9b2J é \\xff\\xe2\\x80\\xae");  // C1, not UTF-8, direction
}

TEST(Output, ErrorsSayWhatWhereAndWhatToDo) {
  error e = errno_error(ENOENT, "sandbox", "cannot read it", "/x", "make it");
  e.detail = "one\ntwo";
  const test::redirected err(STDERR_FILENO);
  print_error(e, {});
  EXPECT_EQ(err.text(), "berth: cannot read it (/x): No such file or directory\n  make it\n  | one\n  | two\n");
}

TEST(Output, TableIsAligned) {
  EXPECT_EQ(format_table({"A", "LONG"}, {{"xyz", ""}, {"x", "y"}}), "A    LONG\nxyz\nx    y\n");
}

TEST(Output, NumbersForPeople) {
  EXPECT_EQ(format_seconds(0.31), "310ms");
  EXPECT_EQ(format_seconds(1.239), "1.24s");
  EXPECT_EQ(format_bytes(2ull << 30), "2.0GiB");
  EXPECT_EQ(format_bytes(17), "17B");
}

TEST(Options, Durations) {
  const auto ms = [](std::string_view text) {
    const auto d = parse_duration(text, "--timeout");
    return d ? std::chrono::duration_cast<milliseconds>(*d).count() : -1;
  };
  EXPECT_EQ(ms("30"), 30000);
  EXPECT_EQ(ms("0.5"), 500);
  EXPECT_EQ(ms("200ms"), 200);
  EXPECT_EQ(ms("2m"), 120000);
  EXPECT_EQ(ms("1.5s"), 1500);
  EXPECT_EQ(ms("1h"), 3600000);
  for (const char* bad : {"", "s", "-1", "0", "1 s", "1d", "nan", "inf", "1e3", "99999999999", "1ss"})
    EXPECT_EQ(ms(bad), -1) << bad;
}

TEST(Options, PathsAreMadeAbsolute) {
  EXPECT_EQ(absolute_path("/a/./b/../c/"), "/a/c");
  EXPECT_EQ(absolute_path("/"), "/");
  EXPECT_EQ(absolute_path("x"), (fs::current_path() / "x").string());
}

TEST(LogFile, RotatesAtItsLimit) {
  const directory where;
  auto log = log_file::open(where / "a.log", "cli", 100);
  ASSERT_TRUE(log);
  for (int i = 0; i < 30; ++i) log->write_line("line " + std::to_string(i));
  EXPECT_LE(fs::file_size(where / "a.log"), 100u);
  EXPECT_LE(fs::file_size(where / "a.log.1"), 100u);
  const std::string all = content(where / "a.log.1") + content(where / "a.log");
  EXPECT_TRUE(all.ends_with("line 28\nline 29\n")) << all;
  EXPECT_EQ(std::distance(fs::directory_iterator(where.path()), fs::directory_iterator()), 2);

  const test::redirected out(STDOUT_FILENO);
  ASSERT_TRUE(print_log(where / "a.log", false, {}));
  EXPECT_EQ(out.text(), all);
}

TEST(LogFile, FollowsAcrossRotations) {
  const directory where;
  auto log = log_file::open(where / "a.log", "cli", 64);
  ASSERT_TRUE(log);
  int written = 0;
  const test::redirected out(STDOUT_FILENO);
  const auto printed = print_log(where / "a.log", true, [&] {
    if (written == 40) return true;
    log->write_line("line " + std::to_string(written++));
    return false;
  });
  ASSERT_TRUE(printed);
  std::string wanted;
  for (int i = 0; i < 40; ++i) wanted += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(out.text(), wanted);
}

TEST(LogFile, ALogThatIsNotThereIsSaid) {
  const directory where;
  const auto printed = print_log(where / "a.log", false, {});
  ASSERT_FALSE(printed);
  EXPECT_EQ(printed.error().code, errc::not_found);
}

TEST(Options, ARunscByNameIsTheFirstOnPath) {
  const directory where;
  std::ofstream(where / "runsc-of-mine") << "#!/bin/sh\n";
  fs::permissions(where / "runsc-of-mine", fs::perms::owner_all);
  const std::string before = own_variable("PATH");
  ::setenv("PATH", (where.path() + ":" + before).c_str(), 1);
  common_options common;
  common.runsc = "runsc-of-mine";
  EXPECT_EQ(common.find_environment().value().runsc, where / "runsc-of-mine");
  common.runsc = "runsc-that-nobody-installed";
  EXPECT_EQ(common.find_environment().value().runsc, "runsc-that-nobody-installed");
  ::setenv("PATH", before.c_str(), 1);
}

}  // namespace
}  // namespace berth::cli
