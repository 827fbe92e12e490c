// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/recipe.hpp>
#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace berth {
namespace {

constexpr const char* worker_spec =
    R"({"ociVersion":"1.1.0","process":{"args":["sh"],"capabilities":{)"
    R"("bounding":["CAP_SYS_NICE","CAP_KILL","CAP_KILL","CAP_CHOWN"],"ambient":["CAP_KILL"]}},"mounts":[)"
    R"({"destination":"/proc","type":"proc"},{"destination":"/sys","type":"sysfs"},)"
    R"({"destination":"/sys/fs/cgroup/","type":"cgroup","source":"cgroup","options":["ro"]},)"
    R"({"destination":"/sys//fs/./cgroup","type":"tmpfs"}],"x-vendor":1.50})";

constexpr const char* bare_spec = R"({"process":{"args":["sh"]},"root":{"path":"rootfs"}})";

TEST(Recipe, SeventeenCapabilitiesEachOnceInOrder) {
  EXPECT_EQ(std::size(docker_capabilities), 17u);
  spec_builder spec = spec_builder::parse(worker_spec).value();
  ASSERT_TRUE(apply_docker(spec));
  for (capability_sets set : {capability_sets::bounding, capability_sets::effective, capability_sets::permitted,
                              capability_sets::inheritable}) {
    const std::vector<std::string> have = spec_capabilities(spec).get(set);
    const std::set<std::string> once(have.begin(), have.end());
    EXPECT_EQ(once.size(), have.size());
    for (std::string_view wanted : docker_capabilities) EXPECT_EQ(once.count(std::string(wanted)), 1u) << wanted;
  }
  const std::vector<std::string> bounding = spec_capabilities(spec).get(capability_sets::bounding);
  EXPECT_EQ((std::vector<std::string>(bounding.begin(), bounding.begin() + 3)),
            (std::vector<std::string>{"CAP_SYS_NICE", "CAP_KILL", "CAP_CHOWN"}));
  EXPECT_EQ(bounding.size(), 18u);
  EXPECT_EQ(spec.get("/process/capabilities/ambient").value(), R"(["CAP_KILL"])");
  EXPECT_EQ(spec.get("/x-vendor").value(), "1.50");
}

TEST(Recipe, RaisingLimitsIsTheEighteenthAndComesOnlyWhenAsked) {
  docker_recipe recipe;
  recipe.raise_limits = true;
  spec_builder spec = spec_builder::parse(R"({"ociVersion":"1.1.0","process":{"args":["sh"]}})").value();
  ASSERT_TRUE(apply_docker(spec, recipe));
  const std::vector<std::string> have = spec_capabilities(spec).get(capability_sets::effective);
  EXPECT_EQ(have.size(), 18u);
  EXPECT_EQ(have.back(), "CAP_SYS_RESOURCE");
}

TEST(Recipe, TheGuestIsBoundInReadOnlyWhereTheStartLooksForIt) {
  docker_recipe recipe;
  recipe.guest = "/usr/libexec/berth/./berth-init";
  spec_builder spec = spec_builder::parse(R"({"ociVersion":"1.1.0","process":{"args":["sh"]}})").value();
  ASSERT_TRUE(apply_docker(spec, recipe));
  const auto mount = spec_mounts(spec).get(docker_guest_path);
  ASSERT_TRUE(mount);
  EXPECT_EQ(mount->source, "/usr/libexec/berth/berth-init");
  EXPECT_EQ(mount->options, (std::vector<std::string>{"rbind", "ro"}));
  recipe.guest = "berth-init";
  EXPECT_EQ(apply_docker(spec, recipe).error().code, errc::spec_path);
}

TEST(Recipe, CgroupModes) {
  const auto cgroup_mounts = [](cgroup_mode mode) {
    spec_builder spec = spec_builder::parse(worker_spec).value();
    docker_recipe recipe;
    recipe.cgroup = mode;
    EXPECT_TRUE(apply_docker(spec, recipe));
    const std::string once = spec.to_json();
    EXPECT_TRUE(apply_docker(spec, recipe));
    EXPECT_EQ(spec.to_json(), once);
    std::vector<spec_mount> out;
    for (const spec_mount& m : spec_mounts(spec).list())
      if (clean_path(m.destination) == "/sys/fs/cgroup") out.push_back(m);
    return out;
  };
  using mounts = std::vector<spec_mount>;
  EXPECT_EQ(cgroup_mounts(cgroup_mode::sandbox), (mounts{{"/sys/fs/cgroup", "cgroup", "cgroup", {"rw"}}}));
  EXPECT_EQ(cgroup_mounts(cgroup_mode::host_bind),
            (mounts{{"/sys/fs/cgroup", "bind", "/sys/fs/cgroup", {"rbind", "rw"}}}));
  EXPECT_EQ(cgroup_mounts(cgroup_mode::none).size(), 2u);  // untouched
}

TEST(Recipe, DataRoot) {
  spec_builder spec = spec_builder::parse(worker_spec).value();
  docker_recipe recipe;
  recipe.data_root = parse_data_root("tmpfs:2Gi").value();
  ASSERT_TRUE(apply_docker(spec, recipe));
  EXPECT_EQ(spec_mounts(spec).get("/var/lib/docker"),
            (spec_mount{"/var/lib/docker", "tmpfs", "tmpfs", {"rw", "mode=0710", "size=2147483648"}}));
  recipe.data_root = parse_data_root("/srv/docker/").value();
  ASSERT_TRUE(apply_docker(spec, recipe));
  EXPECT_EQ(spec_mounts(spec).get("/var/lib/docker"),
            (spec_mount{"/var/lib/docker", "bind", "/srv/docker", {"rbind", "rw"}}));

  const std::string before = spec.to_json();
  recipe.cgroup = cgroup_mode::host_bind;
  recipe.data_root->directory = "srv/../etc";
  const auto refused = apply_docker(spec, recipe);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::spec_path);
  EXPECT_EQ(spec.to_json(), before);  // the cgroup mount of this attempt too
}

TEST(Recipe, ADataRootInMemoryHasHalfOfTheLimit) {
  spec_builder spec = spec_builder::parse(worker_spec).value();
  docker_recipe recipe;
  recipe.data_root = parse_data_root("tmpfs").value();
  ASSERT_TRUE(apply_docker(spec, recipe));
  EXPECT_EQ(spec_mounts(spec).get("/var/lib/docker"),
            (spec_mount{"/var/lib/docker", "tmpfs", "tmpfs", {"rw", "mode=0710"}}));
  ASSERT_TRUE(spec_resources(spec).set_memory_limit(1 << 30));
  ASSERT_TRUE(apply_docker(spec, recipe));
  EXPECT_EQ(spec_mounts(spec).get("/var/lib/docker"),
            (spec_mount{"/var/lib/docker", "tmpfs", "tmpfs", {"rw", "mode=0710", "size=536870912"}}));
}

TEST(Recipe, LogsWhatUsersWerePromised) {
  const auto lines = [](cgroup_mode mode) {
    spec_builder spec = spec_builder::parse(bare_spec).value();
    std::vector<std::string> out;
    docker_recipe recipe;
    recipe.cgroup = mode;
    EXPECT_TRUE(apply_docker(spec, recipe, [&](const log_event& e) { out.push_back(format_console(e)); }));
    return out;
  };
  using list = std::vector<std::string>;
  EXPECT_EQ(lines(cgroup_mode::sandbox), (list{"INF added docker capabilities for sandbox container",
                                               "INF added cgroup mount for docker-in-docker"}));
  EXPECT_EQ(lines(cgroup_mode::none), (list{"INF added docker capabilities for sandbox container"}));
  const list bind = lines(cgroup_mode::host_bind);
  ASSERT_EQ(bind.size(), 3u);
  EXPECT_EQ(bind[1], "INF added cgroup bind mount for docker-in-docker");
  EXPECT_TRUE(bind[2].starts_with("WRN ")) << bind[2];
  EXPECT_NE(bind[2].find("freeze"), std::string::npos);
}

TEST(Recipe, AReadOnlyRootIsLeftWithAWarningOrMadeWritable) {
  spec_builder spec = spec_builder::parse(R"({"process":{"args":["sh"]},"root":{"path":"r","readonly":true}})").value();
  std::vector<std::string> lines;
  const log_sink sink = [&](const log_event& e) { lines.push_back(format_console(e)); };
  ASSERT_TRUE(apply_docker(spec, {}, sink));
  EXPECT_TRUE(spec_root(spec).readonly());
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[2].starts_with("WRN the root file system is read-only")) << lines[2];

  lines.clear();
  docker_recipe recipe;
  recipe.writable_root = true;
  ASSERT_TRUE(apply_docker(spec, recipe, sink));
  EXPECT_FALSE(spec_root(spec).readonly());
  EXPECT_EQ(lines.size(), 2u);
}

TEST(Recipe, ASpecThatCannotRunIsRefusedAndLeftAsItIs) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"root":{"path":"r"}})", "/process"},
      {R"({"process":null,"root":{"path":"r"}})", "/process"},
      {R"({"process":{"cwd":"/"},"root":{"path":"r"}})", "/process/args"},
      {R"({"process":{"args":[]},"root":{"path":"r"}})", "/process/args"},
  };
  for (const auto& [json, pointer] : cases) {
    spec_builder spec = spec_builder::parse(json).value();
    const auto done = apply_docker(spec);
    ASSERT_FALSE(done) << json;
    EXPECT_EQ(done.error().code, errc::invalid) << json;
    EXPECT_EQ(done.error().path, pointer) << json;
    EXPECT_FALSE(done.error().hint.empty()) << json;
    EXPECT_EQ(spec.to_json(), json);
  }
}

TEST(Recipe, WarnsOfWhatItCannotMend) {
  std::vector<std::string> lines;
  const log_sink sink = [&](const log_event& e) {
    if (e.level == log_level::warn) lines.push_back(format_console(e));
  };
  spec_builder spec = spec_builder::parse(bare_spec).value();
  ASSERT_TRUE(apply_docker(spec, {}, sink));
  EXPECT_EQ(lines, std::vector<std::string>{});

  std::string many;
  for (int i = 0; i < 20; ++i) many += ",\"CAP_NEW_" + std::to_string(i) + '"';
  spec = spec_builder::parse(R"({"process":{"args":["sh"],"capabilities":{"bounding":["CAP_KILL")" + many + "]}}}")
             .value();
  ASSERT_TRUE(apply_docker(spec, {}, sink));
  EXPECT_NE(spec.to_json().find("CAP_NEW_19"), std::string::npos);
  ASSERT_EQ(lines.size(), 10u);  // eight names, how many more, and the root
  EXPECT_NE(lines[0].find("capability=CAP_NEW_0 path=/process/capabilities/bounding/1"), std::string::npos) << lines[0];
  EXPECT_NE(lines[8].find("count=12"), std::string::npos) << lines[8];
  EXPECT_NE(lines[9].find("/root/path"), std::string::npos) << lines[9];
}

TEST(Recipe, WordsOfTheCommand) {
  EXPECT_EQ(parse_cgroup_mode("sandbox").value(), cgroup_mode::sandbox);
  EXPECT_EQ(parse_cgroup_mode("host-bind").value(), cgroup_mode::host_bind);
  EXPECT_EQ(parse_cgroup_mode("none").value(), cgroup_mode::none);
  EXPECT_EQ(parse_cgroup_mode("host").error().code, errc::invalid);
  EXPECT_EQ(parse_data_root("tmpfs").value().size, 0u);
  EXPECT_EQ(parse_data_root("/srv").value().where, docker_data_root::kind::directory);
  const docker_data_root sized = parse_data_root("/srv/a:b:20Gi").value();
  EXPECT_EQ(sized.where, docker_data_root::kind::directory);
  EXPECT_EQ(sized.directory, "/srv/a:b");
  EXPECT_EQ(sized.size, 20ull << 30);
  for (const char* whole : {"/srv/a:b", "/srv/a:", "/srv/a:2Gi/", "/srv/a:2Gi/b"}) {
    EXPECT_EQ(parse_data_root(whole).value().directory, whole);
    EXPECT_EQ(parse_data_root(whole).value().size, 0u);
  }
  docker_recipe bounded;
  bounded.data_root = sized;
  spec_builder spec = spec_builder::parse(worker_spec).value();
  EXPECT_EQ(apply_docker(spec, bounded).error().code, errc::unsupported);
  for (const char* bad : {"", "srv", "tmpfs:", "tmpfs:big", "tmpfs2Gi", "/srv:2GG", "/srv:20G"})
    EXPECT_EQ(parse_data_root(bad).error().code, errc::invalid) << bad;
}

}  // namespace
}  // namespace berth
