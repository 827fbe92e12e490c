// SPDX-License-Identifier: Apache-2.0
#include "guest/runtime/runtime_args.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace berth::guest {
namespace {

struct line {
  explicit line(std::vector<std::string> words) : text(std::move(words)) {
    for (std::string& word : text) pointers.push_back(word.data());
  }
  runc_arguments read() { return read_runc_arguments(pointers); }
  std::vector<std::string> text;
  std::vector<char*> pointers;
};

TEST(RuncArguments, AsContainerdsShimGivesThem) {
  line create({"--root", "/var/run/docker/runtime-runc/moby", "--log", "/b/log.json", "--log-format", "json", "create",
               "--bundle", "/b", "--pid-file", "/b/init.pid", "--console-socket", "/tmp/s", "abc"});
  const runc_arguments a = create.read();
  EXPECT_EQ(a.verb, "create");
  EXPECT_EQ(a.verb_at, 6u);
  EXPECT_EQ(a.bundle, "/b");
  EXPECT_EQ(a.log, "/b/log.json");
  EXPECT_TRUE(a.log_json);
  EXPECT_FALSE(a.keyring_said);
  EXPECT_EQ(a.pid_file, "/b/init.pid");
  EXPECT_TRUE(a.console);
  EXPECT_EQ(a.id, "abc");

  EXPECT_EQ(a.root, "/var/run/docker/runtime-runc/moby");

  line update({"--root", "/r", "update", "--resources", "-", "abc"});
  EXPECT_EQ(update.read().verb, "update");
  EXPECT_EQ(update.read().id, "abc");
  EXPECT_EQ(line({"update", "--memory=32m", "--cpu-quota", "50000", "abc"}).read().id, "abc");
  EXPECT_EQ(line({"create", "abc"}).read().root, "/run/runc");

  line exec({"--root", "/r", "exec", "--process", "/tmp/p", "--detach", "--pid-file", "/f", "abc"});
  EXPECT_EQ(exec.read().verb, "exec");
  EXPECT_EQ(exec.read().process, "/tmp/p");
}

TEST(RuncArguments, AsBuildKitAndPeopleGiveThem) {
  line run({"--log=/l", "run", "-b=/x", "--no-new-keyring", "-keep", "id", "--bundle", "/of/the/command"});
  const runc_arguments a = run.read();
  EXPECT_EQ(a.verb, "run");
  EXPECT_EQ(a.verb_at, 1u);
  EXPECT_EQ(a.bundle, "/x");
  EXPECT_EQ(a.log, "/l");
  EXPECT_FALSE(a.log_json);
  EXPECT_TRUE(a.keyring_said);
  EXPECT_FALSE(a.console);
  EXPECT_EQ(a.id, "id");
}

TEST(RuncArguments, WhereThereIsNoVerbOrNoBundle) {
  line version({"--version"});
  EXPECT_EQ(version.read().verb, "");
  EXPECT_EQ(version.read().verb_at, 1u);
  line none({});
  EXPECT_EQ(none.read().verb_at, 0u);
  line here({"create", "x"});
  EXPECT_EQ(here.read().bundle, ".");
  line a_verb_that_is_a_value({"--root", "create", "delete", "--force", "run"});
  EXPECT_EQ(a_verb_that_is_a_value.read().verb, "delete");
}

}  // namespace
}  // namespace berth::guest
