// SPDX-License-Identifier: Apache-2.0
#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace berth {
namespace {

std::string fixture(const std::string& name) {
  std::ifstream in(std::string(BERTH_TEST_DATA) + "/golden/spec/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

spec_builder must_parse(const std::string& json) {
  result<spec_builder> spec = spec_builder::parse(json);
  EXPECT_TRUE(spec) << json;
  return std::move(spec).value();
}

TEST(SpecBuilder, KeepsWhatItDoesNotKnow) {
  for (const char* json : {R"({"zeta":1,"alpha":{"b":[],"a":{}},"hostname":"h","x-vendor":[true,false,null]})",
                           R"({"n":[18446744073709551616,1.0,1E2,-0,0.10,123456789012345678901234567890,1e-7]})",
                           R"({"s":["\"\\/\b\f\n\r\t","ä€😀","\u0001\u001f"]})"}) {
    EXPECT_EQ(must_parse(json).to_json(), json);
  }
}

TEST(SpecBuilder, EscapesMeanWhatTheyMeant) {
  EXPECT_EQ(must_parse(R"({"\u0061\u00e4\u20ac\ud83d\ude00":"\u0041\/"})").to_json(),
            "{\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\":\"A/\"}");
}

TEST(SpecBuilder, FixturesComeOutAsTheyWentIn) {
  for (const char* name : {"containerd-14k.json", "containerd-2k5.json"}) {
    const std::string json = fixture(name);
    ASSERT_FALSE(json.empty()) << name;
    EXPECT_EQ(must_parse(json).to_json(), json) << name;
  }
  const std::string pretty = fixture("runsc-spec.json");
  ASSERT_FALSE(pretty.empty());
  EXPECT_EQ(must_parse(pretty).to_pretty_json(), pretty);
  const spec_builder spec = must_parse(pretty);
  EXPECT_EQ(must_parse(spec.to_json()).to_json(), spec.to_json());
}

TEST(SpecBuilder, StringsOfEveryLengthAndPlaceOfEscapeRoundTrip) {
  for (std::size_t length = 0; length < 70; ++length)
    for (std::size_t at = 0; at <= length; ++at) {
      std::string text(length, 'x');
      text.insert(at, "\\n\\\"");
      const std::string json = "{\"k" + text + "\":\"" + text + "\"}";
      ASSERT_EQ(must_parse(json).to_json(), json);
    }
}

TEST(SpecBuilder, GetByPointer) {
  const spec_builder spec = must_parse(R"({"a/b~c":[10,{"x":"y"}],"":{"e":null}})");
  EXPECT_EQ(spec.get("").value(), spec.to_json());
  EXPECT_EQ(spec.get("/a~1b~0c/0").value(), "10");
  EXPECT_EQ(spec.get("/a~1b~0c/1/x").value(), R"("y")");
  EXPECT_EQ(spec.get("//e").value(), "null");
  for (const char* absent : {"/nope", "/a~1b~0c/2", "/a~1b~0c/x", "/a~1b~0c/-1", "nope", "/a~1b~0c/0/z"})
    EXPECT_EQ(spec.get(absent).error().code, errc::not_found) << absent;
}

TEST(SpecBuilder, CloneSharesNothing) {
  spec_builder spec = must_parse(R"({"hostname":"one","x":1})");
  spec_builder copy = spec.clone().value();
  ASSERT_TRUE(spec_hostname(copy).set("two"));
  EXPECT_EQ(spec.to_json(), R"({"hostname":"one","x":1})");
  EXPECT_EQ(copy.to_json(), R"({"hostname":"two","x":1})");
}

TEST(SpecBuilder, ApplyIsAllOrNothing) {
  const std::string json = fixture("containerd-14k.json");
  spec_builder spec = must_parse(json);
  const auto many_changes = [](spec_builder& s) -> result<void> {
    BERTH_TRY(spec_hostname(s).set("other"));
    BERTH_TRY(spec_mounts(s).set({"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}}));
    BERTH_TRY(spec_mounts(s).remove("/proc"));
    BERTH_TRY(spec_capabilities(s).clear());
    const std::string_view names[] = {"SYS_ADMIN"};
    BERTH_TRY(spec_capabilities(s).add(names));
    for (int i = 0; i < 100; ++i) BERTH_TRY(spec_env(s).set("NEW_" + std::to_string(i), "value"));
    BERTH_TRY(spec_env(s).remove("PATH"));
    BERTH_TRY(spec_annotations(s).clear());
    BERTH_TRY(spec_annotations(s).set("k", "v"));
    BERTH_TRY(spec_seccomp(s).remove("read"));
    BERTH_TRY(spec_namespaces(s).set({"network", "/run/netns/x"}));
    return spec_resources(s).set_memory_limit(1 << 30);
  };
  const auto failing = [](spec_builder& s) { return spec_process(s).set_cwd("/proc/self"); };

  const result<void> outcome = spec.apply(many_changes, failing);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, errc::spec_path);
  EXPECT_EQ(spec.to_json(), json);

  ASSERT_TRUE(spec.apply(many_changes));
  const std::string once = spec.to_json();
  EXPECT_NE(once, json);
  ASSERT_TRUE(spec.apply(many_changes));
  EXPECT_EQ(spec.to_json(), once);
  ASSERT_FALSE(spec.apply(failing, many_changes));
  EXPECT_EQ(spec.to_json(), once);
}

TEST(SpecBuilder, ApplyNestsAndTakesAList) {
  spec_builder spec = must_parse(R"({"x":1})");
  const spec_mutation inner_fails = [](spec_builder& s) -> result<void> {
    EXPECT_TRUE(spec_hostname(s).set("kept"));
    const auto inner = s.apply([](spec_builder& t) { return spec_hostname(t).set("undone"); },
                               [](spec_builder&) -> result<void> { return make_error(errc::state, "test", "no"); });
    EXPECT_FALSE(inner);
    EXPECT_EQ(spec_hostname(s).get(), "kept");
    return {};
  };
  const spec_mutation last = [](spec_builder& s) { return spec_annotations(s).set("a", "b"); };
  const std::vector<spec_mutation> list{inner_fails, last};
  ASSERT_TRUE(spec.apply(std::span(list)));
  EXPECT_EQ(spec.to_json(), R"({"x":1,"hostname":"kept","annotations":{"a":"b"}})");
}

TEST(SpecBuilder, AThrowingMutationUndoesAndGoesOn) {
  spec_builder spec = must_parse(R"({"x":1})");
  EXPECT_THROW((void)spec.apply([](spec_builder& s) -> result<void> {
    EXPECT_TRUE(spec_hostname(s).set("h"));
    throw std::runtime_error("of the caller's");
  }),
               std::runtime_error);
  EXPECT_EQ(spec.to_json(), R"({"x":1})");
}

TEST(SpecBuilder, AFreshOneIsMinimal) {
  spec_builder spec;
  EXPECT_EQ(spec.to_json(), R"({"ociVersion":"1.1.0"})");
  spec_builder moved = std::move(spec);
  EXPECT_EQ(moved.to_json(), R"({"ociVersion":"1.1.0"})");
}

TEST(SpecBuilder, MinimalSpec) {
  minimal_spec_options options;
  options.args = {"/bin/sh", "-c", "true"};
  options.env = {"A=1", "PATH=/bin"};
  options.rootfs = "/srv/root";
  options.hostname = "box";
  options.network_namespace = "/run/netns/box";
  options.mounts = {bind_mount("/srv/share", "/run/share"), tmpfs_mount("/tmp", 1 << 20, 01777)};
  options.cpus = 1.5;
  options.memory_bytes = 1 << 30;
  options.cgroups_path = "/berth/box";
  const spec_builder spec = minimal_spec(options).value();
  EXPECT_EQ(spec.get("/process/args").value(), R"(["/bin/sh","-c","true"])");
  EXPECT_EQ(spec.get("/process/env").value(), R"(["PATH=/bin","A=1"])");
  EXPECT_EQ(spec.get("/linux/resources").value(),
            R"({"memory":{"limit":1073741824},"cpu":{"quota":150000,"period":100000}})");
  EXPECT_EQ(spec.get("/linux/namespaces/4").value(), R"({"type":"network","path":"/run/netns/box"})");
  EXPECT_EQ(spec.get("/mounts/6").value(),
            R"({"destination":"/run/share","type":"bind","source":"/srv/share","options":["rbind","rw"]})");
  EXPECT_EQ(spec.get("/mounts/7/options").value(), R"(["rw","mode=1777","size=1048576"])");
  must_parse(spec.to_json());  // what is built passes the checks

  options.args.clear();
  EXPECT_EQ(minimal_spec(options).error().path, "/process/args");
}

TEST(ContainerId, OnlyWhatRunscTakes) {
  for (const char* id : {"a", "_", "A-b.c+d_e", "0"}) EXPECT_TRUE(check_container_id(id)) << id;
  EXPECT_TRUE(check_container_id(std::string(1024, 'a')));
  for (const std::string& id :
       {std::string(), std::string("-a"), std::string(".a"), std::string("+a"), std::string("a/b"), std::string("a b"),
        std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(1025, 'a')}) {
    const auto outcome = check_container_id(id);
    ASSERT_FALSE(outcome) << id;
    EXPECT_EQ(outcome.error().code, errc::spec_id);
    EXPECT_FALSE(outcome.error().hint.empty());
  }
}

TEST(ByteSize, AsPeopleWriteThem) {
  EXPECT_EQ(parse_byte_size("2Gi").value(), 2ull << 30);
  EXPECT_EQ(parse_byte_size("512Mi").value(), 512ull << 20);
  EXPECT_EQ(parse_byte_size("512MiB").value(), 512ull << 20);
  EXPECT_EQ(parse_byte_size("2g").value(), 2ull << 30);
  EXPECT_EQ(parse_byte_size("512m").value(), 512ull << 20);
  EXPECT_EQ(parse_byte_size("1t").value(), 1ull << 40);
  EXPECT_EQ(parse_byte_size("7").value(), 7u);
  EXPECT_EQ(parse_byte_size("7b").value(), 7u);
  for (const char* bad :
       {"", "0", "-1", "-0", "+1", "Gi", "1.5Gi", "1 Gi", "1gi", "1GB", "1e9", "inf", "nan", "0x10", "1G ",
        "99999999999999999999", "9007199254740992Ti", "9223372036854775808", "9007199254740992T"})
    EXPECT_EQ(parse_byte_size(bad).error().code, errc::invalid) << bad;
}

// What Docker and Kubernetes read differently is not guessed at.
TEST(ByteSize, WhatMeansTwoThingsIsRefusedWithBoth) {
  for (const auto& [text, hint] : {std::pair{"2G", "write 2Gi, or 2000000000 for powers of 1000"},
                                   {"1500M", "write 1500Mi, or 1500000000 for powers of 1000"},
                                   {"64k", "write 64Ki, or 64000 for powers of 1000"},
                                   {"64K", "write 64Ki, or 64000 for powers of 1000"},
                                   {"1T", "write 1Ti, or 1000000000000 for powers of 1000"}}) {
    const auto size = parse_byte_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, errc::invalid);
    EXPECT_NE(size.error().message.find(text), std::string::npos);
    EXPECT_EQ(size.error().hint, hint);
  }
}

}  // namespace
}  // namespace berth
