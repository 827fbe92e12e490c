// SPDX-License-Identifier: Apache-2.0
#include <berth/runsc/state.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

// As release-20260701.0 printed it.
constexpr const char* state_json = R"({
  "ociVersion": "1.2.1",
  "id": "rn1",
  "status": "running",
  "pid": 2218,
  "bundle": "/srv/bundle"
}
)";

TEST(RunscState, ReadsWhatStatePrints) {
  const auto state = parse_runsc_state(state_json);
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_EQ(state->oci_version, "1.2.1");
  EXPECT_EQ(state->id, "rn1");
  EXPECT_EQ(state->status, runsc_status::running);
  EXPECT_EQ(state->pid, 2218);
  EXPECT_EQ(state->bundle, "/srv/bundle");
  EXPECT_TRUE(state->annotations.empty());
}

TEST(RunscState, ReadsAnnotationsAndPassesOverWhatItDoesNotKnow) {
  const auto state = parse_runsc_state(
      R"({"id":"a","status":"stopped","pid":-1,"new":{"x":[1,2]},"annotations":{"b":"1","a":"two \u00e9"},"bundle":null})");
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_EQ(state->status, runsc_status::stopped);
  EXPECT_EQ(state->pid, 0);  // -1: there is no process
  ASSERT_EQ(state->annotations.size(), 2u);
  EXPECT_EQ(state->annotations[0].first, "b");
  EXPECT_EQ(state->annotations[1].second, "two é");
}

TEST(RunscState, KeepsAStatusThatItDoesNotKnow) {
  const auto state = parse_runsc_state(R"({"id":"a","status":"hibernating"})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, runsc_status::unknown);
  EXPECT_EQ(state->status_text, "hibernating");
}

TEST(RunscState, EachStatusHasItsName) {
  for (runsc_status s : {runsc_status::creating, runsc_status::created, runsc_status::running, runsc_status::paused,
                         runsc_status::stopped}) {
    const auto state = parse_runsc_state("{\"id\":\"a\",\"status\":\"" + std::string(runsc_status_name(s)) + "\"}");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->status, s);
  }
}

TEST(RunscState, RefusesWhatItCannotRead) {
  for (const char* json :
       {"", "null", "[]", "{", "{}", R"({"id":"a"})", R"({"id":1,"status":"running"})",
        R"({"id":"a","status":"running","pid":1.5})", R"({"id":"a","status":"running","pid":"1"})",
        R"({"id":"a","status":"running","pid":9223372036854775808})",
        R"({"id":"a","status":"running","annotations":[]})", R"({"id":"a","status":"running","annotations":{"x":1}})",
        R"({"id":"a","id":"b","status":"running"})", R"({"id":"a","status":"running"} {})",
        "{\"id\":\"a\xff\",\"status\":\"running\"}"}) {
    const auto state = parse_runsc_state(json);
    ASSERT_FALSE(state) << json;
    EXPECT_EQ(state.error().code, errc::runsc_output) << json;
    EXPECT_EQ(state.error().layer, "runsc");
    EXPECT_FALSE(state.error().hint.empty());
  }
}

TEST(RunscState, DeepNestingIsRefusedNotFollowed) {
  const std::string deep = R"({"id":"a","status":"running","x":)" + std::string(100000, '[');
  EXPECT_EQ(parse_runsc_state(deep).error().code, errc::runsc_output);
}

TEST(RunscList, ReadsAListAndNone) {
  const auto list = parse_runsc_list(
      R"([{"ociVersion":"1.2.1","id":"rn1","status":"running","pid":2218,"bundle":"/b"},{"id":"x","status":"created"}])"
      "\n");
  ASSERT_TRUE(list) << list.error().to_string();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[1].status, runsc_status::created);
  const auto none = parse_runsc_list("null\n");  // Go's nil slice
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  EXPECT_FALSE(parse_runsc_list("{}"));
  EXPECT_FALSE(parse_runsc_list("[1]"));
  EXPECT_FALSE(parse_runsc_list(""));
}

TEST(RunscPs, ReadsPids) {
  const auto pids = parse_runsc_ps("[1,12,15]\n");
  ASSERT_TRUE(pids) << pids.error().to_string();
  EXPECT_EQ(*pids, (std::vector<std::int32_t>{1, 12, 15}));
  EXPECT_TRUE(parse_runsc_ps("null")->empty());
  EXPECT_FALSE(parse_runsc_ps("[\"1\"]"));
  EXPECT_FALSE(parse_runsc_ps("[2147483648]"));
  EXPECT_FALSE(parse_runsc_ps("1, \"x\": 2"));
}

TEST(RunscStats, ReadsTheNumbersThatAreThere) {
  const auto stats = parse_runsc_stats(
      R"({"type":"stats","id":"rn1","data":{"cpu":{"usage":{"total":149399633}},"memory":{"usage":{"limit":0,"usage":2244608,"failcnt":0},"swap":{"limit":0,"failcnt":0},"kernel":{"limit":0,"failcnt":0},"kernelTCP":{"limit":0,"failcnt":0}},"pids":{"current":1},"network_interfaces":[{"Name":"lo","RxBytes":0}]}})");
  ASSERT_TRUE(stats) << stats.error().to_string();
  EXPECT_EQ(stats->id, "rn1");
  EXPECT_EQ(stats->cpu_total_ns, 149399633u);
  EXPECT_EQ(stats->memory_usage_bytes, 2244608u);
  EXPECT_EQ(stats->memory_limit_bytes, 0u);
  EXPECT_EQ(stats->pids_current, 1u);
  const auto largest = parse_runsc_stats(
      R"({"type":"stats","id":"a","data":{"memory":{"usage":{"usage":18446744073709551615}},"pids":{}}})");
  ASSERT_TRUE(largest);
  EXPECT_EQ(largest->memory_usage_bytes, 18446744073709551615u);
  EXPECT_FALSE(largest->pids_current);
  EXPECT_FALSE(parse_runsc_stats(R"({"type":"stats","id":"a","data":{"pids":{"current":-1}}})"));
  EXPECT_FALSE(parse_runsc_stats(R"({"id":"a"})"));
}

TEST(RunscWait, ReadsHowItEnded) {
  const auto ended = parse_runsc_wait("{\"id\":\"rn1\",\"exitStatus\":9}\n");
  ASSERT_TRUE(ended) << ended.error().to_string();
  EXPECT_EQ(ended->id, "rn1");
  EXPECT_EQ(ended->exit_status, 9);
  for (const char* json : {"", "{}", R"({"id":"a"})", R"({"id":"a","exitStatus":"9"})", R"({"exitStatus":9})"})
    EXPECT_EQ(parse_runsc_wait(json).error().code, errc::runsc_output) << json;
}

}  // namespace
}  // namespace berth
