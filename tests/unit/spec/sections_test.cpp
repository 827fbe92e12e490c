// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace berth {
namespace {

using change = std::function<result<void>(spec_builder&)>;

/// Applies `what` to `json`; the result is `expected`, and the same after a second time.
void expect_change(const std::string& json, const change& what, const std::string& expected) {
  result<spec_builder> spec = spec_builder::parse(json);
  ASSERT_TRUE(spec) << spec.error().to_string();
  const result<void> once = what(*spec);
  ASSERT_TRUE(once) << once.error().to_string();
  EXPECT_EQ(spec->to_json(), expected);
  ASSERT_TRUE(what(*spec));
  EXPECT_EQ(spec->to_json(), expected) << "the second time";
}

/// `what` is refused with this code and pointer, and changes nothing.
void expect_refusal(const std::string& json, const change& what, errc code, const std::string& pointer) {
  result<spec_builder> spec = spec_builder::parse(json);
  ASSERT_TRUE(spec) << spec.error().to_string();
  const std::string before = spec->to_json();
  const result<void> outcome = what(*spec);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(errc_name(outcome.error().code), errc_name(code)) << outcome.error().to_string();
  EXPECT_EQ(outcome.error().path, pointer);
  EXPECT_FALSE(outcome.error().hint.empty());
  EXPECT_EQ(spec->to_json(), before);
}

const std::string nul("a\0b", 3);

TEST(Process, Verbs) {
  const auto p = [](auto f) { return [f](spec_builder& s) -> result<void> { return f(spec_process(s)); }; };
  expect_change("{}", p([](auto s) { return s.set_args({"a", "b"}); }), R"({"process":{"args":["a","b"]}})");
  expect_change(R"({"process":null,"x":1})", p([](auto s) { return s.set_args({"a"}); }),
                R"({"process":{"args":["a"]},"x":1})");
  expect_change(R"({"process":{"args":["x"],"cwd":"/"}})", p([](auto s) { return s.clear_args(); }),
                R"({"process":{"cwd":"/"}})");
  expect_change("{}", p([](auto s) { return s.set_cwd("/srv"); }), R"({"process":{"cwd":"/srv"}})");
  expect_change("{}", p([](auto s) { return s.set_user(1, 4294967295u); }),
                R"({"process":{"user":{"uid":1,"gid":4294967295}}})");
  expect_change(R"({"process":{"user":{"uid":0,"additionalGids":[10]}}})", p([](auto s) { return s.add_group(27); }),
                R"({"process":{"user":{"uid":0,"additionalGids":[10,27]}}})");
  expect_change(R"({"process":{"user":{"additionalGids":[10,27,10]}}})", p([](auto s) { return s.remove_group(10); }),
                R"({"process":{"user":{"additionalGids":[27]}}})");
  expect_change(R"({"process":{"user":{"uid":0,"additionalGids":[10]}}})", p([](auto s) { return s.clear_groups(); }),
                R"({"process":{"user":{"uid":0}}})");
  expect_change("{}", p([](auto s) { return s.set_terminal(true); }), R"({"process":{"terminal":true}})");
  expect_change(R"({"process":{"noNewPrivileges":true}})", p([](auto s) { return s.set_no_new_privileges(false); }),
                R"({"process":{"noNewPrivileges":false}})");
  expect_change("{}", p([](auto s) { return s.set_oom_score_adj(-1000); }), R"({"process":{"oomScoreAdj":-1000}})");
  expect_change(R"({"process":{"oomScoreAdj":1}})", p([](auto s) { return s.clear_oom_score_adj(); }),
                R"({"process":{}})");
  expect_change(R"({"process":{},"x":1})", p([](auto s) { return s.clear(); }), R"({"x":1})");
  expect_change("{}", p([](auto s) { return s.clear_groups(); }), "{}");
  expect_change("{}", p([](auto s) { return s.remove_group(1); }), "{}");

  spec_builder spec;
  ASSERT_TRUE(spec_process(spec).add_arg("a"));
  ASSERT_TRUE(spec_process(spec).add_arg("a"));
  EXPECT_EQ(spec_process(spec).args(), (std::vector<std::string>{"a", "a"}));

  expect_refusal("{}", p([](auto s) { return s.set_args({}); }), errc::invalid, "/process/args");
  expect_refusal("{}", p([](auto s) { return s.set_args({"ok", nul}); }), errc::spec_nul, "/process/args");
  expect_refusal("{}", p([](auto s) { return s.add_arg("\xff"); }), errc::spec_syntax, "/process/args");
  expect_refusal("{}", p([](auto s) { return s.set_cwd("/proc/1/cwd"); }), errc::spec_path, "/process/cwd");
  expect_refusal("{}", p([](auto s) { return s.set_cwd("x"); }), errc::spec_path, "/process/cwd");
  expect_refusal("{}", p([](auto s) { return s.set_cwd(""); }), errc::spec_path, "/process/cwd");
  expect_refusal("{}", p([](auto s) { return s.set_oom_score_adj(1001); }), errc::spec_number, "/process/oomScoreAdj");
}

TEST(Capabilities, Verbs) {
  const std::string_view two[] = {"NET_ADMIN", "CAP_KILL"};
  const std::string_view twice[] = {"KILL", "CAP_KILL"};
  const std::string_view unknown[] = {"KILL", "FLY"};
  expect_change(
      R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_CHOWN","CAP_KILL"],"ambient":["CAP_KILL"]}}})",
      [&](spec_builder& s) { return spec_capabilities(s).add(two); },
      R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_CHOWN","CAP_NET_ADMIN"],"ambient":["CAP_KILL"],)"
      R"("effective":["CAP_NET_ADMIN","CAP_KILL"],"inheritable":["CAP_NET_ADMIN","CAP_KILL"],)"
      R"("permitted":["CAP_NET_ADMIN","CAP_KILL"]}}})");
  expect_change(R"({"process":{"capabilities":{"bounding":["CAP_CHOWN"]}}})",
                [&](spec_builder& s) {
                  return spec_capabilities(s).set(twice, capability_sets::bounding | capability_sets::ambient);
                },
                R"({"process":{"capabilities":{"bounding":["CAP_KILL"],"ambient":["CAP_KILL"]}}})");
  expect_change(R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_CHOWN"],"ambient":["CAP_NET_ADMIN"]}}})",
                [&](spec_builder& s) { return spec_capabilities(s).remove(two); },
                R"({"process":{"capabilities":{"bounding":["CAP_CHOWN"],"ambient":[]}}})");
  expect_change(R"({"process":{"capabilities":{"bounding":["CAP_KILL"],"ambient":["CAP_KILL"]}}})",
                [](spec_builder& s) { return spec_capabilities(s).clear(capability_sets::ambient); },
                R"({"process":{"capabilities":{"bounding":["CAP_KILL"]}}})");
  expect_change(R"({"process":{"capabilities":{"bounding":[]}}})",
                [](spec_builder& s) { return spec_capabilities(s).clear(); }, R"({"process":{}})");
  expect_refusal(
      "{}", [&](spec_builder& s) { return spec_capabilities(s).add(unknown); }, errc::spec_capability,
      "/process/capabilities");
  expect_refusal(
      "{}", [&](spec_builder& s) { return spec_capabilities(s).set(unknown); }, errc::spec_capability,
      "/process/capabilities");
  expect_refusal(
      "{}", [&](spec_builder& s) { return spec_capabilities(s).remove(unknown); }, errc::spec_capability,
      "/process/capabilities");
  spec_builder spec;
  ASSERT_TRUE(spec_capabilities(spec).add(two, capability_sets::permitted));
  EXPECT_EQ(spec_capabilities(spec).get(capability_sets::permitted),
            (std::vector<std::string>{"CAP_NET_ADMIN", "CAP_KILL"}));
  EXPECT_TRUE(spec_capabilities(spec).get(capability_sets::bounding).empty());
}

// runtime-spec wants a warning for a name that maps to no capability, not a refusal.
TEST(Capabilities, UnknownOnesThatComeInAreKept) {
  const std::string json =
      R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_FLY","CAP_FLY","KILL",""],"ambient":["cap_kill"]}}})";
  const std::string_view two[] = {"NET_ADMIN", "KILL"};
  spec_builder spec = spec_builder::parse(json).value();
  EXPECT_EQ(spec.to_json(), json);
  using unknown_list = std::vector<unknown_capability>;
  const unknown_list unknown{{"CAP_FLY", "/process/capabilities/bounding/1"},
                             {"CAP_FLY", "/process/capabilities/bounding/2"},
                             {"KILL", "/process/capabilities/bounding/3"},
                             {"", "/process/capabilities/bounding/4"},
                             {"cap_kill", "/process/capabilities/ambient/0"}};
  EXPECT_EQ(spec_capabilities(spec).unknown(), unknown);
  spec_builder none;
  EXPECT_EQ(spec_capabilities(none).unknown(), unknown_list{});
  expect_change(
      json, [&](spec_builder& s) { return spec_capabilities(s).add(two, capability_sets::bounding); },
      R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_FLY","CAP_FLY","KILL","","CAP_NET_ADMIN"],)"
      R"("ambient":["cap_kill"]}}})");
  expect_change(
      json, [&](spec_builder& s) { return spec_capabilities(s).remove(two, capability_sets::all); },
      R"({"process":{"capabilities":{"bounding":["CAP_FLY","CAP_FLY","KILL",""],"ambient":["cap_kill"]}}})");
}

// A patch may leave one where it was, not bring one in.
TEST(Capabilities, AMergeBringsNoUnknownOnesIn) {
  const std::string json = R"({"process":{"capabilities":{"bounding":["CAP_FLY"]}}})";
  expect_change(
      json,
      [](spec_builder& s) {
        return merge_spec(s, R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_FLY"]}}})");
      },
      R"({"process":{"capabilities":{"bounding":["CAP_KILL","CAP_FLY"]}}})");
  expect_refusal(
      json,
      [](spec_builder& s) {
        return merge_spec(s, R"({"process":{"capabilities":{"ambient":["CAP_KILL","CAP_SWIM"]}}})");
      },
      errc::spec_capability, "/process/capabilities/ambient/1");
}

TEST(Process, IsThereOrTheErrorSaysWhatIsMissing) {
  for (const char* none : {"{}", R"({"process":null})"}) {
    spec_builder spec = spec_builder::parse(none).value();
    const result<void> outcome = spec_process(spec).check_present();
    ASSERT_FALSE(outcome) << none;
    EXPECT_EQ(outcome.error().path, "/process") << none;
  }
  for (const char* none : {R"({"process":{}})", R"({"process":{"args":null}})", R"({"process":{"args":[]}})"}) {
    spec_builder spec = spec_builder::parse(none).value();
    const result<void> outcome = spec_process(spec).check_present();
    ASSERT_FALSE(outcome) << none;
    EXPECT_EQ(outcome.error().code, errc::invalid) << none;
    EXPECT_EQ(outcome.error().path, "/process/args") << none;
    EXPECT_FALSE(outcome.error().hint.empty());
  }
  spec_builder spec = spec_builder::parse(R"({"process":{"args":["sh"]}})").value();
  EXPECT_TRUE(spec_process(spec).check_present());
}

TEST(Env, Verbs) {
  const std::string json = R"({"process":{"env":["A=1","B=2","A=3","AB=4"]}})";
  expect_change(
      json, [](spec_builder& s) { return spec_env(s).set("A", "x=y"); },
      R"({"process":{"env":["A=x=y","B=2","AB=4"]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_env(s).set("C", ""); },
      R"({"process":{"env":["A=1","B=2","A=3","AB=4","C="]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_env(s).add("A", "9"); }, json);
  expect_change(
      "{}", [](spec_builder& s) { return spec_env(s).add("A", "9"); }, R"({"process":{"env":["A=9"]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_env(s).remove("A"); }, R"({"process":{"env":["B=2","AB=4"]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_env(s).clear(); }, R"({"process":{}})");
  expect_refusal(
      json, [](spec_builder& s) { return spec_env(s).set("A=B", ""); }, errc::invalid, "/process/env");
  expect_refusal(
      json, [](spec_builder& s) { return spec_env(s).set("", ""); }, errc::invalid, "/process/env");
  expect_refusal(
      json, [](spec_builder& s) { return spec_env(s).set("A", nul); }, errc::spec_nul, "/process/env");
  expect_refusal(
      json, [](spec_builder& s) { return spec_env(s).remove("="); }, errc::invalid, "/process/env");
  spec_builder spec = spec_builder::parse(json).value();
  EXPECT_EQ(spec_env(spec).get("A"), "3");
  EXPECT_EQ(spec_env(spec).get("Z"), std::nullopt);
}

TEST(Rlimits, Verbs) {
  const std::string json = R"({"process":{"rlimits":[{"type":"RLIMIT_CPU","hard":1,"soft":1},{"type":"RLIMIT_NOFILE",)"
                           R"("soft":1,"hard":2,"x":true},{"type":"RLIMIT_NOFILE","hard":9,"soft":9}]}})";
  expect_change(
      json,
      [](spec_builder& s) {
        return spec_rlimits(s).set({"RLIMIT_NOFILE", 5, UINT64_MAX});
      },
      R"({"process":{"rlimits":[{"type":"RLIMIT_CPU","hard":1,"soft":1},{"type":"RLIMIT_NOFILE",)"
      R"("soft":5,"hard":18446744073709551615,"x":true}]}})");
  expect_change(
      json,
      [](spec_builder& s) {
        return spec_rlimits(s).add({"RLIMIT_NOFILE", 5, 5});
      },
      json);
  expect_change(
      "{}",
      [](spec_builder& s) {
        return spec_rlimits(s).add({"RLIMIT_AS", 5, 6});
      },
      R"({"process":{"rlimits":[{"type":"RLIMIT_AS","hard":6,"soft":5}]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_rlimits(s).remove("RLIMIT_NOFILE"); },
      R"({"process":{"rlimits":[{"type":"RLIMIT_CPU","hard":1,"soft":1}]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_rlimits(s).clear(); }, R"({"process":{}})");
  expect_refusal(
      json,
      [](spec_builder& s) {
        return spec_rlimits(s).set({"NOFILE", 5, 5});
      },
      errc::invalid, "/process/rlimits");
  expect_refusal(
      json,
      [](spec_builder& s) {
        return spec_rlimits(s).set({"RLIMIT_AS", 6, 5});
      },
      errc::invalid, "/process/rlimits");
  spec_builder spec = spec_builder::parse(json).value();
  ASSERT_EQ(spec_rlimits(spec).list().size(), 3u);
  EXPECT_EQ(spec_rlimits(spec).list()[1], (spec_rlimit{"RLIMIT_NOFILE", 1, 2}));
}

TEST(Annotations, Verbs) {
  const std::string json = R"({"annotations":{"a":"1","A":"2"}})";
  expect_change(
      json, [](spec_builder& s) { return spec_annotations(s).set("a", "9"); }, R"({"annotations":{"a":"9","A":"2"}})");
  expect_change(
      json, [](spec_builder& s) { return spec_annotations(s).add("a", "9"); }, json);
  expect_change(
      "{}", [](spec_builder& s) { return spec_annotations(s).add("dev.gvisor.x/y", "\n"); },
      R"({"annotations":{"dev.gvisor.x/y":"\n"}})");
  expect_change(
      json, [](spec_builder& s) { return spec_annotations(s).remove("a"); }, R"({"annotations":{"A":"2"}})");
  expect_change(
      json, [](spec_builder& s) { return spec_annotations(s).clear(); }, "{}");
  expect_refusal(
      json, [](spec_builder& s) { return spec_annotations(s).set("", "9"); }, errc::invalid, "/annotations");
  expect_refusal(
      json, [](spec_builder& s) { return spec_annotations(s).set(nul, "9"); }, errc::spec_nul, "/annotations");
  spec_builder spec = spec_builder::parse(json).value();
  EXPECT_EQ(spec_annotations(spec).get("A"), "2");
  EXPECT_EQ(spec_annotations(spec).get("b"), std::nullopt);
}

TEST(Namespaces, Verbs) {
  const std::string json =
      R"({"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/a","x":1},{"type":"network"}]}})";
  expect_change(
      json,
      [](spec_builder& s) {
        return spec_namespaces(s).set({"network", "/b"});
      },
      R"({"linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/b","x":1}]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_namespaces(s).set({"network"}); },
      R"({"linux":{"namespaces":[{"type":"pid"},{"type":"network","x":1}]}})");
  expect_change(
      json,
      [](spec_builder& s) {
        return spec_namespaces(s).add({"pid", "/c"});
      },
      json);
  expect_change(
      "{}",
      [](spec_builder& s) {
        return spec_namespaces(s).add({"pid", "/c"});
      },
      R"({"linux":{"namespaces":[{"type":"pid","path":"/c"}]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_namespaces(s).remove("network"); },
      R"({"linux":{"namespaces":[{"type":"pid"}]}})");
  expect_change(
      json, [](spec_builder& s) { return spec_namespaces(s).clear(); }, R"({"linux":{}})");
  expect_refusal(
      json, [](spec_builder& s) { return spec_namespaces(s).set({"net"}); }, errc::invalid, "/linux/namespaces");
  expect_refusal(
      json,
      [](spec_builder& s) {
        return spec_namespaces(s).set({"network", "run/x"});
      },
      errc::spec_path, "/linux/namespaces");
  expect_refusal(
      json, [](spec_builder& s) { return spec_namespaces(s).remove("net"); }, errc::invalid, "/linux/namespaces");
  spec_builder spec = spec_builder::parse(json).value();
  EXPECT_EQ(spec_namespaces(spec).get("network"), (spec_namespace{"network", "/a"}));
  EXPECT_EQ(spec_namespaces(spec).get("user"), std::nullopt);
}

TEST(Resources, Verbs) {
  expect_change(
      "{}", [](spec_builder& s) { return spec_resources(s).set_cpus(0.5); },
      R"({"linux":{"resources":{"cpu":{"quota":50000,"period":100000}}}})");
  expect_change(R"({"linux":{"resources":{"cpu":{"shares":2,"quota":1}}}})",
                [](spec_builder& s) { return spec_resources(s).set_cpu_quota(-1, 1000); },
                R"({"linux":{"resources":{"cpu":{"shares":2,"quota":-1,"period":1000}}}})");
  expect_change(R"({"linux":{"resources":{"cpu":{"shares":2,"quota":1}}}})",
                [](spec_builder& s) { return spec_resources(s).clear_cpu(); },
                R"({"linux":{"resources":{"cpu":{"shares":2}}}})");
  expect_change(
      "{}", [](spec_builder& s) { return spec_resources(s).set_memory_limit(INT64_MAX); },
      R"({"linux":{"resources":{"memory":{"limit":9223372036854775807}}}})");
  expect_change(R"({"linux":{"resources":{"memory":{"limit":7,"swap":8}}}})",
                [](spec_builder& s) { return spec_resources(s).clear_memory_limit(); },
                R"({"linux":{"resources":{"memory":{"swap":8}}}})");
  expect_change(
      "{}", [](spec_builder& s) { return spec_resources(s).set_pids_limit(-1); },
      R"({"linux":{"resources":{"pids":{"limit":-1}}}})");
  expect_change(R"({"linux":{"resources":{"pids":{"limit":-1}}}})",
                [](spec_builder& s) { return spec_resources(s).clear_pids_limit(); },
                R"({"linux":{"resources":{"pids":{}}}})");
  expect_change(
      "{}", [](spec_builder& s) { return spec_resources(s).set_unified("memory.high", "max"); },
      R"({"linux":{"resources":{"unified":{"memory.high":"max"}}}})");
  expect_change(R"({"linux":{"resources":{"unified":{"memory.high":"max"}}}})",
                [](spec_builder& s) { return spec_resources(s).remove_unified("memory.high"); },
                R"({"linux":{"resources":{"unified":{}}}})");
  expect_change(
      "{}", [](spec_builder& s) { return spec_resources(s).set_cgroups_path("/a/b"); },
      R"({"linux":{"cgroupsPath":"/a/b"}})");
  expect_change(R"({"linux":{"cgroupsPath":"/a/b"}})",
                [](spec_builder& s) { return spec_resources(s).clear_cgroups_path(); }, R"({"linux":{}})");
  expect_change(R"({"linux":{"cgroupsPath":"/a","resources":{"x":1}}})",
                [](spec_builder& s) { return spec_resources(s).clear(); }, R"({"linux":{"cgroupsPath":"/a"}})");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_resources(s).set_cpus(0); }, errc::spec_number,
      "/linux/resources/cpu/quota");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_resources(s).set_cpus(std::stod("nan")); }, errc::spec_number,
      "/linux/resources/cpu/quota");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_resources(s).set_cpu_quota(1000, 1000001); }, errc::spec_number,
      "/linux/resources/cpu/period");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_resources(s).set_memory_limit(0); }, errc::spec_number,
      "/linux/resources/memory/limit");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_resources(s).set_unified("a/b", "1"); }, errc::invalid,
      "/linux/resources/unified");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_resources(s).set_cgroups_path("/a/../b"); }, errc::spec_path,
      "/linux/cgroupsPath");
  spec_builder spec = spec_builder::parse(R"({"linux":{"resources":{"memory":{"limit":-1}}}})").value();
  EXPECT_EQ(spec_resources(spec).memory_limit(), -1);
}

TEST(HostnameAndRoot, Verbs) {
  expect_change(
      "{}", [](spec_builder& s) { return spec_hostname(s).set("h"); }, R"({"hostname":"h"})");
  expect_change(R"({"hostname":"h","x":1})", [](spec_builder& s) { return spec_hostname(s).clear(); }, R"({"x":1})");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_hostname(s).set(std::string(65, 'a')); }, errc::invalid, "/hostname");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_hostname(s).set(nul); }, errc::spec_nul, "/hostname");
  expect_change(
      "{}", [](spec_builder& s) { return spec_root(s).set_path("rootfs"); }, R"({"root":{"path":"rootfs"}})");
  expect_change(R"({"root":{"path":"r","readonly":true}})",
                [](spec_builder& s) { return spec_root(s).set_readonly(false); },
                R"({"root":{"path":"r","readonly":false}})");
  expect_change(R"({"root":{"path":"r"}})", [](spec_builder& s) { return spec_root(s).set_readonly(false); },
                R"({"root":{"path":"r"}})");
  expect_change(R"({"root":{"path":"r"}})", [](spec_builder& s) { return spec_root(s).clear(); }, "{}");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_root(s).set_path(""); }, errc::spec_path, "/root/path");
}

TEST(Seccomp, Verbs) {
  const std::string json =
      R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","x":1,"syscalls":[)"
      R"({"names":["read","write"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_LOG"}]}}})";
  expect_change(
      "{}", [](spec_builder& s) { return spec_seccomp(s).set(R"( {"defaultAction":"SCMP_ACT_ALLOW"} )"); },
      R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"}}})");
  expect_change(
      json, [](spec_builder& s) { return spec_seccomp(s).add({"openat"}, "SCMP_ACT_ALLOW"); },
      R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","x":1,"syscalls":[)"
      R"({"names":["read","write"],"action":"SCMP_ACT_ALLOW"},{"names":["read"],"action":"SCMP_ACT_LOG"},)"
      R"({"names":["openat"],"action":"SCMP_ACT_ALLOW"}]}}})");
  expect_change(
      json, [](spec_builder& s) { return spec_seccomp(s).remove("read"); },
      R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","x":1,"syscalls":[)"
      R"({"names":["write"],"action":"SCMP_ACT_ALLOW"}]}}})");
  expect_change(
      json, [](spec_builder& s) { return spec_seccomp(s).clear(); }, R"({"linux":{}})");
  expect_refusal(
      "{}", [](spec_builder& s) { return spec_seccomp(s).add({"read"}, "SCMP_ACT_ALLOW"); }, errc::state,
      "/linux/seccomp");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).add({"re ad"}, "SCMP_ACT_ALLOW"); }, errc::invalid,
      "/linux/seccomp/syscalls");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).add({"read"}, "ALLOW"); }, errc::invalid,
      "/linux/seccomp/syscalls");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).set(R"({"DefaultAction":"x"})"); }, errc::spec_key_case,
      "/linux/seccomp/DefaultAction");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).set("[]"); }, errc::spec_type, "/linux/seccomp");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).set("null"); }, errc::spec_type, "/linux/seccomp");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).set(R"({},"sysctl":{"a":"b"})"); }, errc::spec_type,
      "/linux/seccomp");
  expect_refusal(
      json, [](spec_builder& s) { return spec_seccomp(s).set(R"({}},"root":{"path":"/")"); }, errc::spec_type,
      "/linux/seccomp");
}

}  // namespace
}  // namespace berth
