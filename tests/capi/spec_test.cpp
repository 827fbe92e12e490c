// SPDX-License-Identifier: Apache-2.0
// berth_spec through the C ABI.
#include "support.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace capi_test {

static constexpr std::string_view small_spec =
    R"({"ociVersion":"1.1.0","x-unknown":{"b":1.0,"a":18446744073709551616},)"
    R"("process":{"args":["sh"],"cwd":"/","env":["A=1"],"capabilities":{"bounding":["CAP_KILL"]}},)"
    R"("root":{"path":"rootfs"},"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],)"
    R"("linux":{"namespaces":[{"type":"pid"}]}})";

class SpecTest : public testing::Test {
 protected:
  void SetUp() override { parse(small_spec); }
  void parse(std::string_view text) {
    spec.free();
    ASSERT_EQ(berth_spec_parse(text.data(), text.size(), spec.slot(), error.slot()), BERTH_OK) << error.text();
  }
  std::string json() {
    berth_buffer* out = nullptr;
    EXPECT_EQ(berth_spec_to_json(spec.get(), &out, error.slot()), BERTH_OK) << error.text();
    return take(out);
  }
  bool holds(std::string_view part) { return json().find(part) != std::string::npos; }
  Spec spec;
  Error error;
};

TEST_F(SpecTest, comes_back_as_it_went_in) { EXPECT_EQ(json(), small_spec); }

TEST_F(SpecTest, errors_say_where) {
  const std::string_view bad = R"({"ociVersion":"1","process":{"cwd":7}})";
  Spec none;
  EXPECT_EQ(berth_spec_parse(bad.data(), bad.size(), none.slot(), error.slot()), BERTH_E_SPEC_TYPE);
  EXPECT_EQ(none.get(), nullptr);
  EXPECT_EQ(error.code(), BERTH_E_SPEC_TYPE);
  EXPECT_EQ(error.path(), "/process/cwd");
  EXPECT_STREQ(berth_error_layer(error.get()), "spec");
  EXPECT_EQ(berth_error_errno(error.get()), 0);
  EXPECT_NE(error.text().find("/process/cwd"), std::string::npos);
}

TEST_F(SpecTest, docker_recipe) {
  berth_buffer* seen_to = nullptr;
  const std::string_view options = R"({"data_root":"tmpfs:1Gi"})";
  ASSERT_EQ(berth_spec_apply_docker(spec.get(), options.data(), options.size(), &seen_to, error.slot()), BERTH_OK)
      << error.text();
  const std::string report = take(seen_to);
  EXPECT_NE(report.find("\"message\":\"added docker capabilities for sandbox container\""), std::string::npos)
      << report;
  EXPECT_NE(report.find("INF added cgroup mount for docker-in-docker"), std::string::npos) << report;
  const std::string once = json();
  EXPECT_NE(once.find("CAP_SYS_PTRACE"), std::string::npos);
  EXPECT_NE(once.find("\"/var/lib/docker\""), std::string::npos);
  EXPECT_NE(once.find(R"("x-unknown":{"b":1.0,"a":18446744073709551616})"), std::string::npos);
  ASSERT_EQ(berth_spec_apply_docker(spec.get(), options.data(), options.size(), nullptr, nullptr), BERTH_OK);
  EXPECT_EQ(json(), once);
}

TEST_F(SpecTest, a_spec_that_cannot_run_is_refused) {
  const auto refused_at = [&](std::string_view json) {
    Spec one;
    EXPECT_EQ(berth_spec_parse(json.data(), json.size(), one.slot(), error.slot()), BERTH_OK) << error.text();
    EXPECT_EQ(berth_spec_apply_docker(one.get(), nullptr, 0, nullptr, error.slot()), BERTH_E_INVALID);
    EXPECT_NE(error.hint(), "");
    return std::string(error.path());
  };
  EXPECT_EQ(refused_at(R"({"process":null})"), "/process");
  EXPECT_EQ(refused_at(R"({"process":{"cwd":"/"}})"), "/process/args");
}

TEST_F(SpecTest, recipe_options_are_checked) {
  const std::string before = json();
  const auto apply = [&](std::string_view options) {
    return berth_spec_apply_docker(spec.get(), options.data(), options.size(), nullptr, error.slot());
  };
  EXPECT_EQ(apply(R"({"cgroups":"none"})"), BERTH_E_INVALID);
  EXPECT_EQ(error.path(), "/cgroups");
  EXPECT_NE(error.hint().find("cgroup"), std::string::npos) << "the hint names what there is";
  EXPECT_EQ(apply(R"({"cgroup":"everything"})"), BERTH_E_INVALID);
  EXPECT_EQ(apply(R"({"cgroup":1})"), BERTH_E_INVALID);
  EXPECT_EQ(error.path(), "/cgroup");
  EXPECT_EQ(apply(R"({"cgroup":"none","cgroup":"none"})"), BERTH_E_INVALID);
  EXPECT_EQ(apply("[]"), BERTH_E_INVALID);
  EXPECT_EQ(apply("{}, {}"), BERTH_E_INVALID);
  EXPECT_EQ(apply("{},\"a\":{}"), BERTH_E_INVALID) << "text behind the object";
  EXPECT_EQ(apply(std::string_view("{\"cgroup\":\"no\xff\"}")), BERTH_E_INVALID);
  EXPECT_EQ(json(), before);
}

TEST_F(SpecTest, merge_changes_only_what_it_names) {
  const std::string_view patch =
      R"({"hostname":"box","process":{"cwd":"/srv","capabilities":null},"annotations":{"k":"v"},"mounts":[]})";
  ASSERT_EQ(berth_spec_merge(spec.get(), patch.data(), patch.size(), error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(json(), R"({"ociVersion":"1.1.0","x-unknown":{"b":1.0,"a":18446744073709551616},)"
                    R"("process":{"args":["sh"],"cwd":"/srv","env":["A=1"]},"root":{"path":"rootfs"},"mounts":[],)"
                    R"("linux":{"namespaces":[{"type":"pid"}]},"hostname":"box","annotations":{"k":"v"}})");
  const std::string_view remove = R"({"annotations":{"k":null,"absent":null},"hostname":null})";
  ASSERT_EQ(berth_spec_merge(spec.get(), remove.data(), remove.size(), error.slot()), BERTH_OK) << error.text();
  EXPECT_TRUE(holds("\"annotations\":{}"));
  EXPECT_FALSE(holds("hostname"));
}

TEST_F(SpecTest, merge_is_checked_and_all_or_nothing) {
  const std::string before = json();
  const auto merge = [&](std::string_view patch) {
    return berth_spec_merge(spec.get(), patch.data(), patch.size(), error.slot());
  };
  EXPECT_EQ(merge(R"({"process":{"cwd":"relative"}})"), BERTH_E_SPEC_PATH);
  EXPECT_EQ(error.path(), "/process/cwd");
  EXPECT_EQ(merge(R"({"Process":{"cwd":"/x"}})"), BERTH_E_SPEC_KEY_CASE);
  EXPECT_EQ(merge(R"({"Hooks":{}})"), BERTH_E_SPEC_KEY_CASE);
  EXPECT_EQ(merge("7"), BERTH_E_SPEC_TYPE);
  EXPECT_EQ(merge(""), BERTH_E_SPEC_SYNTAX);
  EXPECT_EQ(json(), before);
}

TEST_F(SpecTest, diff) {
  Spec changed;
  ASSERT_EQ(berth_spec_clone(spec.get(), changed.slot(), error.slot()), BERTH_OK);
  ASSERT_EQ(berth_spec_set_cwd(changed.get(), "/srv", 4, error.slot()), BERTH_OK);
  ASSERT_EQ(berth_spec_set_hostname(changed.get(), "box", 3, error.slot()), BERTH_OK);
  berth_buffer* out = nullptr;
  ASSERT_EQ(berth_spec_diff(spec.get(), changed.get(), &out, error.slot()), BERTH_OK) << error.text();
  EXPECT_EQ(take(out), R"([{"op":"replace","path":"/process/cwd","before":"/","after":"/srv"},)"
                       R"({"op":"add","path":"/hostname","after":"box"}])");
  ASSERT_EQ(berth_spec_diff(spec.get(), spec.get(), &out, error.slot()), BERTH_OK);
  EXPECT_EQ(take(out), "[]");
}

TEST_F(SpecTest, single_mutations) {
  berth_spec* s = spec.get();
  EXPECT_EQ(berth_spec_add_capability(s, "CAP_NET_RAW", 11, BERTH_CAP_BOUNDING | BERTH_CAP_EFFECTIVE, error.slot()), 0);
  EXPECT_TRUE(holds(R"("bounding":["CAP_KILL","CAP_NET_RAW"],"effective":["CAP_NET_RAW"])")) << json();
  EXPECT_EQ(berth_spec_remove_capability(s, "CAP_KILL", 8, BERTH_CAP_BOUNDING, error.slot()), 0);
  EXPECT_FALSE(holds("CAP_KILL"));
  EXPECT_EQ(berth_spec_set_args(s, R"(["a","b c"])", 11, error.slot()), 0) << error.text();
  EXPECT_TRUE(holds(R"("args":["a","b c"])"));
  EXPECT_EQ(berth_spec_set_env(s, "A", 1, "2", 1, error.slot()), 0);
  EXPECT_EQ(berth_spec_set_env(s, "B", 1, nullptr, 0, error.slot()), 0);
  EXPECT_TRUE(holds(R"("env":["A=2","B="])"));
  EXPECT_EQ(berth_spec_remove_env(s, "A", 1, error.slot()), 0);
  EXPECT_TRUE(holds(R"("env":["B="])"));
  EXPECT_EQ(berth_spec_set_root(s, "/images/x", 9, 1, error.slot()), 0);
  EXPECT_TRUE(holds(R"("root":{"path":"/images/x","readonly":true})")) << json();
  const std::string_view mount = R"({"destination":"/data//","type":"tmpfs","source":"tmpfs","options":["nosuid"]})";
  EXPECT_EQ(berth_spec_set_mount(s, mount.data(), mount.size(), error.slot()), 0) << error.text();
  EXPECT_TRUE(holds(R"("destination":"/data")")) << json();
  EXPECT_EQ(berth_spec_remove_mount(s, "/data", 5, error.slot()), 0);
  EXPECT_FALSE(holds("/data"));
  EXPECT_EQ(berth_spec_set_namespace(s, "network", 7, "/run/netns/x", 12, error.slot()), 0);
  EXPECT_TRUE(holds(R"({"type":"network","path":"/run/netns/x"})"));
  EXPECT_EQ(berth_spec_remove_namespace(s, "pid", 3, error.slot()), 0);
  EXPECT_FALSE(holds(R"("pid")"));
  EXPECT_EQ(berth_spec_set_annotation(s, "k", 1, "v", 1, error.slot()), 0);
  EXPECT_TRUE(holds(R"("annotations":{"k":"v"})"));
  EXPECT_EQ(berth_spec_remove_annotation(s, "k", 1, error.slot()), 0);
  EXPECT_EQ(berth_spec_set_rlimit(s, "RLIMIT_NOFILE", 13, 10, UINT64_MAX, error.slot()), 0);
  EXPECT_TRUE(holds(R"("soft":10)")) << json();
  EXPECT_TRUE(holds("18446744073709551615"));
}

TEST_F(SpecTest, wrong_values_are_refused) {
  const std::string before = json();
  berth_spec* s = spec.get();
  EXPECT_EQ(berth_spec_add_capability(s, "CAP_TIME_TRAVEL", 15, BERTH_CAP_DOCKER, error.slot()),
            BERTH_E_SPEC_CAPABILITY);
  EXPECT_EQ(berth_spec_add_capability(s, "CAP_KILL", 8, 0, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_add_capability(s, "CAP_KILL", 8, 32, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_set_args(s, "[1]", 3, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_set_cwd(s, "x", 1, error.slot()), BERTH_E_SPEC_PATH);
  EXPECT_EQ(berth_spec_set_env(s, "A=", 2, "x", 1, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_set_mount(s, R"({"destination":"/a/../b"})", 25, error.slot()), BERTH_E_SPEC_PATH);
  EXPECT_EQ(berth_spec_set_mount(s, R"({"dest":"/a"})", 13, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_set_namespace(s, "dreams", 6, "", 0, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_set_rlimit(s, "RLIMIT_NOFILE", 13, 2, 1, error.slot()), BERTH_E_INVALID);
  EXPECT_EQ(berth_spec_set_hostname(s, "a\0b", 3, error.slot()), BERTH_E_SPEC_NUL);
  EXPECT_EQ(json(), before);
}

TEST_F(SpecTest, file_there_and_back) {
  char name[] = "/tmp/berth-capi-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string path = std::string(name) + "/config.json";
  EXPECT_EQ(berth_spec_save(spec.get(), path.data(), path.size(), error.slot()), BERTH_OK) << error.text();
  Spec again;
  EXPECT_EQ(berth_spec_load(path.data(), path.size(), again.slot(), error.slot()), BERTH_OK) << error.text();
  berth_buffer* out = nullptr;
  EXPECT_EQ(berth_spec_diff(spec.get(), again.get(), &out, error.slot()), BERTH_OK);
  EXPECT_EQ(take(out), "[]");
  const std::string absent = std::string(name) + "/none.json";
  Spec none;
  EXPECT_EQ(berth_spec_load(absent.data(), absent.size(), none.slot(), error.slot()), BERTH_E_NOT_FOUND);
  EXPECT_EQ(error.path(), absent);
  EXPECT_EQ(berth_error_errno(error.get()), ENOENT);
  unlink(path.c_str());
  rmdir(name);
}

}  // namespace capi_test
