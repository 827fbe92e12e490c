// SPDX-License-Identifier: Apache-2.0
// What Docker and the cgroups of a sandbox say, which may be anything.
#include <berth/managed/container_stats.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace berth;

TEST(ContainerStats, OfWhatIsNoContainerNothingIsRead) {
  const auto all = parse_running_containers("07aedd\tweb\n../../etc\tx\n\n\tnone\nid with blanks\tx\nb1\tnew\x1b[2J");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].container, "07aedd");
  EXPECT_EQ(all[0].name, "web");
  EXPECT_EQ(all[1].container, "b1");
  EXPECT_EQ(all[1].name.find('\x1b'), std::string::npos);
  EXPECT_TRUE(parse_running_containers(std::string(65, 'a') + "\tlong\n").empty());
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "c" + std::to_string(i) + "\tn\n";
  EXPECT_EQ(parse_running_containers(many).size(), 4096u);
}

TEST(ContainerStats, NumbersOfACgroup) {
  EXPECT_EQ(parse_cgroup_number("471040\n"), 471040u);
  for (const char* none : {"", "\n", "max\n", "-1\n", "1 2\n", "1\n\n", "99999999999999999999\n"})
    EXPECT_FALSE(parse_cgroup_number(none)) << none;
}

TEST(ContainerStats, WhatIsNotKnownIsNull) {
  container_stats one;
  one.container = "a";
  one.name = "b";
  one.memory_bytes = 5;
  json_writer out;
  write_json(out, {one});
  EXPECT_EQ(
      out.take(),
      R"([{"container":"a","name":"b","memory_bytes":5,"memory_limit_bytes":null,"cpu_ns":null,"processes":null}])");
}

}  // namespace
