// SPDX-License-Identifier: Apache-2.0
#include "texts.hpp"

#include <berth/runsc/diagnose.hpp>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace berth {
namespace {

namespace fs = std::filesystem;

// Logs of real failures of release-20260701.0 (and, where the name says so, of Debian's two), with the paths made neutral
// and most of the informational lines left out.
std::string directory_of(const std::string& name) { return std::string(BERTH_TEST_DATA) + "/unit/runsc/logs/" + name; }

struct failure {
  const char* name;
  const char* cause;  ///< part of what must be named the cause
  const char* file;   ///< part of the file's name it must be from
  const char* hint;   ///< part of the hint
};

class RealFailure : public testing::TestWithParam<failure> {};

TEST_P(RealFailure, IsTracedToItsCause) {
  const failure& f = GetParam();
  auto logs = read_runsc_logs(directory_of(f.name));
  ASSERT_TRUE(logs) << logs.error().to_string();
  std::string printed;
  for (const runsc_log_file& log : *logs)
    if (log.name == "stderr.txt") printed = log.text;
  std::erase_if(*logs, [](const runsc_log_file& log) { return log.name == "stderr.txt"; });
  ASSERT_FALSE(printed.empty());
  const runsc_diagnosis found = diagnose_runsc(*logs, printed);
  EXPECT_NE(found.cause.find(f.cause), std::string::npos) << found.cause;
  EXPECT_NE(found.file.find(f.file), std::string::npos) << found.file;
  EXPECT_NE(found.hint.find(f.hint), std::string::npos) << found.hint;
  ASSERT_FALSE(found.lines.empty());
  EXPECT_EQ(found.lines.front(), found.cause);
  EXPECT_LE(found.lines.size(), 8u);
  for (const std::string& line : found.lines) EXPECT_EQ(line.find("allow-suid"), std::string::npos) << line;
}

INSTANTIATE_TEST_SUITE_P(
    Logs, RealFailure,
    testing::Values(
        failure{"mount-source-missing", "open /nonexistent/src: no such file or directory", ".gofer.",
                "source of a bind mount"},
        failure{"mount-source-missing-20221219", "stat /nonexistent/src: no such file or directory", ".gofer.",
                "mount"},
        failure{"mount-onto-file", "/srv/rootfs/etc/passwd: not a directory", ".gofer.", "destination a file"},
        failure{"root-is-a-file", "Error setting up root FS", ".gofer.", "root"},
        failure{"rootfs-missing", "stat /nonexistent/rootfs: no such file or directory", ".run.", "root.path"},
        failure{"program-missing", "failed to load /bin/nope: no such file or directory", ".run.",
                "not in the root file system"},
        failure{"cgroup-limit", "write /sys/fs/cgroup/memory/x/memory.limit_in_bytes: invalid argument", ".run.",
                "linux.resources"},
        failure{"netns-missing", "error opening \"/proc/self/ns/nope\"", ".run.",
                "namespace that the spec names does not exist"},
        failure{"netns-no-namespace", "error setting namespace of type network", ".run.", "no namespace of that kind"},
        failure{"sidecar-missing", "sidecar \"gvisor_sentry\" not usable", ".run.", "gvisor-bin"},
        failure{"overlay-dir-missing", "failed to stat filestore directory", ".run.", "--overlay2"},
        failure{"root-netns-20240729", "cannot run with network enabled in root network namespace", ".run.",
                "network namespace of its own"}),
    [](const testing::TestParamInfo<failure>& one) {
      std::string name = one.param.name;
      for (char& c : name)
        if (c == '-') c = '_';
      return name;
    });

TEST(Diagnose, ARefusedSocketIsAWarningWithAHintAndNoCause) {
  // The bind succeeds inside, on a socket that only the sandbox sees: the gofer's log alone tells.
  auto logs = read_runsc_logs(directory_of("socket-refused"));
  ASSERT_TRUE(logs);
  std::erase_if(*logs, [](const runsc_log_file& log) { return log.name == "stderr.txt"; });
  const runsc_diagnosis found = diagnose_runsc(*logs);
  EXPECT_EQ(found.cause, "");
  ASSERT_FALSE(found.lines.empty());
  EXPECT_NE(found.lines.front().find("Rejecting attempt to create unix domain socket"), std::string::npos);
  EXPECT_NE(found.hint.find("--host-uds=create"), std::string::npos);
}

TEST(Diagnose, WhatEachStartOfRunscWarnsOfIsNotShown) {
  const std::string before = "W1130 19:33:58.002193     893 x.go:1] ";
  const runsc_diagnosis found = diagnose_runsc(
      {{"a.run.txt",
        before +
            "No precompiled program found for config options GOARCH=\"amd64\", building seccomp program from scratch.\n" +
            before +
            "Sidecar \"gvisor_sentry\" not usable (stat /x: no such file or directory): booting sandbox with runsc "
            "itself; embedded sidecar binaries are deprecated and will be removed in a future release.\n" +
            before +
            "gVisor startup is slower if `--root` (or `--shared-root`) is not reused across multiple sandboxes.\n" +
            before + "something else\n"}});
  EXPECT_EQ(found.lines, std::vector<std::string>{"something else"});
  EXPECT_EQ(found.hint, "");
}

TEST(Diagnose, APanicComesBeforeEverything) {
  const std::vector<runsc_log_file> logs = {
      {"a.boot.txt",
       "W1124 06:25:15.500000       1 util.go:107] FATAL ERROR: something else\n"
       "I1124 06:25:15.600000       1 x.go:1] going on\npanic: runtime error: index out of range\n\n"
       "goroutine 1 [running]:\nmain.main()\n"},
      {"a.run.txt", "W1124 06:25:15.100000   1 util.go:107] FATAL ERROR: earlier\n"}};
  const runsc_diagnosis found = diagnose_runsc(logs, "generic: EOF\n");
  EXPECT_EQ(found.cause, "panic: runtime error: index out of range");
  EXPECT_EQ(found.file, "a.boot.txt");
  ASSERT_EQ(found.lines.size(), 4u);
  EXPECT_EQ(found.lines[1], "earlier");
  EXPECT_EQ(found.lines[3], "generic: EOF");
}

TEST(Diagnose, UsesWhatRunscPrintedWhereThereAreNoLogs) {
  const runsc_diagnosis found = diagnose_runsc({}, "loading container: file does not exist\n");
  EXPECT_EQ(found.cause, "loading container: file does not exist");
  EXPECT_EQ(found.file, "stderr");
  EXPECT_NE(found.hint.find("no such container"), std::string::npos);
  EXPECT_EQ(diagnose_runsc({}, "").cause, "");
  EXPECT_TRUE(diagnose_runsc({}, "\n\n").lines.empty());
}

TEST(Diagnose, ControlCharactersAreMadeVisible) {
  const runsc_diagnosis found =
      diagnose_runsc({{"x.boot.txt", "W1124 06:25:15.500000       1 a.go:1] FATAL ERROR: \x1b[2Jcleared\x07\n"}});
  EXPECT_EQ(found.cause, "\\x1b[2Jcleared\\x07");
}

TEST(Diagnose, LongLinesAreCut) {
  const std::string line = "W1124 06:25:15.500000       1 a.go:1] FATAL ERROR: " + std::string(100000, 'x') + "\n";
  EXPECT_LT(diagnose_runsc({{"x.boot.txt", line}}).cause.size(), 1000u);
}

class LogDirectory : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-logs-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir = name;
  }
  void TearDown() override { fs::remove_all(dir); }
  void write(const std::string& name, const std::string& text) { std::ofstream(dir + "/" + name) << text; }
  std::string dir;
};

TEST_F(LogDirectory, ReadsRegularFilesOnlyAndFollowsNoSymlink) {
  write("a.boot.txt", "text\n");
  fs::create_symlink("/etc/passwd", dir + "/b.boot.txt");
  ASSERT_EQ(::mkfifo((dir + "/c.boot.txt").c_str(), 0600), 0);
  fs::create_directory(dir + "/d.boot.txt");
  const auto logs = read_runsc_logs(dir);
  ASSERT_TRUE(logs);
  ASSERT_EQ(logs->size(), 1u);
  EXPECT_EQ(logs->front().name, "a.boot.txt");
  EXPECT_EQ(logs->front().text, "text\n");
}

TEST_F(LogDirectory, KeepsToTheLimitWithTheLastWholeLines) {
  write("a.boot.txt", std::string(1000, 'x') + "\nlast line\n");
  const auto logs = read_runsc_logs(dir, 100);
  ASSERT_TRUE(logs);
  ASSERT_EQ(logs->size(), 1u);
  EXPECT_EQ(logs->front().text, "last line\n");
}

TEST_F(LogDirectory, SaysWhenThereIsNone) {
  EXPECT_EQ(read_runsc_logs(dir + "/none").error().code, errc::not_found);
  EXPECT_TRUE(read_runsc_logs(dir)->empty());
}

TEST_F(LogDirectory, FailureReadsTheLogsByItself) {
  write("a.gofer.txt",
        "W1124 06:25:15.470371       1 util.go:107] FATAL ERROR: error setting up FS: opening /x: open /x: "
        "no such file or directory\n");
  const error e =
      runsc_failure("cannot start sandbox a", dir, "cannot read client sync file: waiting for sandbox to start: EOF\n");
  EXPECT_EQ(e.code, errc::runsc_failed);
  EXPECT_EQ(e.message, "cannot start sandbox a: error setting up FS: opening /x: open /x: no such file or directory");
  EXPECT_NE(e.hint.find("bind mount"), std::string::npos);
  EXPECT_NE(e.detail.find("waiting for sandbox to start: EOF"), std::string::npos);
  const error none = runsc_failure("cannot start sandbox a", dir + "/none", "waiting for sandbox to start: EOF\n");
  EXPECT_EQ(none.message, "cannot start sandbox a: waiting for sandbox to start: EOF");
}

}  // namespace
TEST(GoStacks, AreLeftOut) {
  EXPECT_EQ(before_go_stacks("encoding error: no:\ngoroutine 42 [running]:\nmain()\n\ngoroutine 1 [select]:\n"),
            "encoding error: no");
  EXPECT_EQ(before_go_stacks("panic: x\n\ngoroutine 1 [running, locked to thread]:\nf()"), "panic: x");
  EXPECT_EQ(before_go_stacks("goroutine 1 [running]:\nf()"), "");
  for (const char* whole : {"", "a goroutine 1 [running]:\n", "goroutine 7 was slow\n", "no such file\n"})
    EXPECT_EQ(before_go_stacks(whole), whole);
}

}  // namespace berth
