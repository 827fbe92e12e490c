// SPDX-License-Identifier: Apache-2.0
#include <berth/sandbox/detail/exec_process.hpp>

#include <gtest/gtest.h>

namespace {

using namespace berth;
using namespace berth::detail;

container_process started() {
  auto found = container_process::parse(R"({"process":{"env":["PATH=/bin","BOTH=spec"],"cwd":"/usr",
    "user":{"uid":7,"gid":8,"additionalGids":[9]},"capabilities":{"bounding":["CAP_KILL"]},"noNewPrivileges":true}})");
  EXPECT_TRUE(found) << found.error().to_string();
  return *found;
}

std::string text_of(const command& what, const std::optional<exec_user>& user = {}, bool terminal = false) {
  auto text = exec_process_text(started(), what, user, terminal);
  return text ? *text
              : std::string(errc_name(text.error().code)) + " " + text.error().path + ": " + text.error().message;
}

TEST(ExecProcess, IsTheContainersWithTheCommandsOwnOverIt) {
  EXPECT_EQ(
      text_of({{"ls"}, {}, {}, {}}),
      R"({"terminal":false,"user":{"uid":7,"gid":8,"additionalGids":[9]},"args":["ls"],"env":["PATH=/bin","BOTH=spec"],)"
      R"("cwd":"/usr","capabilities":{"bounding":["CAP_KILL"]},"noNewPrivileges":true})");
  EXPECT_EQ(text_of({{"ls", "a\n\"b"}, {"BOTH=own", "NEW=\xc3\xa9"}, "/tmp", {}}, exec_user{1, 2, {3}}, true),
            R"({"terminal":true,"user":{"uid":1,"gid":2,"additionalGids":[9,3]},"args":["ls","a\n\"b"],)"
            "\"env\":[\"PATH=/bin\",\"BOTH=own\",\"NEW=\xc3\xa9\"],"
            R"("cwd":"/tmp","capabilities":{"bounding":["CAP_KILL"]},"noNewPrivileges":true})");
  // As runsc has it: a uid without gid keeps the container's group.
  EXPECT_NE(text_of({{"ls"}, {}, {}, {}}, exec_user{1, {}, {}}).find(R"("uid":1,"gid":8)"), std::string::npos);
}

TEST(ExecProcess, AProcessMayBeEmptyAndMustBeThere) {
  auto bare = container_process::parse(R"({"process":{"args":["x"]}})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(*exec_process_text(*bare, {{"ls"}, {}, {}, {}}, {}, false),
            R"({"terminal":false,"user":{"uid":0,"gid":0,"additionalGids":[]},"args":["ls"],"env":[],"cwd":"/",)"
            R"("noNewPrivileges":false})");
  EXPECT_EQ(container_process::parse(R"({"process":null})").error().path, "/process");
  EXPECT_EQ(container_process::parse("{").error().code, errc::spec_syntax);
}

TEST(ExecProcess, RefusesWhatWouldArriveChangedOrNotAtAll) {
  EXPECT_EQ(text_of({}), "invalid argv: the command is empty");
  EXPECT_EQ(text_of({{"ls"}, {"=x"}, {}, {}}), "invalid env: an environment variable is not of the form K=V");
  EXPECT_EQ(text_of({{"ls"}, {}, "tmp", {}}), "invalid cwd: the working directory is not an absolute path: tmp");
  EXPECT_EQ(text_of({{"ls", "\xff"}, {}, {}, {}}),
            "invalid argv/1: the argument is not UTF-8, and runsc would change it");
  EXPECT_EQ(text_of({{"ls", std::string("a\0b", 3)}, {}, {}, {}}), "invalid argv/1: the argument has a NUL in it");
  // Its value may be a secret, and its name is what helps.
  EXPECT_EQ(text_of({{"ls"}, {"TOKEN=secret\xff"}, {}, {}}),
            "invalid env/0: the variable TOKEN is not UTF-8, and runsc would change it");
  EXPECT_EQ(text_of({{"ls", std::string(4000000, 'x')}, {"A=" + std::string(4000000, 'x')}, {}, {}}).front(), '{');
  EXPECT_EQ(text_of({{"ls", std::string(4000000, 'x')}, {"A=" + std::string(5000000, 'x')}, {}, {}}),
            "too_big argv: arguments and environment have 9000007 bytes together, and 8388608 are the most");
}

TEST(ExecProcess, AUserGoesByNumbers) {
  EXPECT_EQ(parse_exec_user("12:34")->gid, 34u);
  EXPECT_EQ(parse_exec_user("12")->gid, std::nullopt);
  for (const char* wrong : {"", ":", "a", "1:", ":1", "1:b", "-1", "4294967296"})
    EXPECT_FALSE(parse_exec_user(wrong)) << wrong;
}

}  // namespace
