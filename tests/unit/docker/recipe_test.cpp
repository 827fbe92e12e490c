#include <berth/docker/recipe.hpp>
#include <berth/spec/spec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace berth {
namespace {

constexpr const char* worker_spec = R"({"ociVersion":"1.1.0","process":{"capabilities":{)"
    R"("bounding":["CAP_SYS_NICE","CAP_KILL","CAP_KILL","CAP_CHOWN"],"ambient":["CAP_KILL"]}},"mounts":[)"
    R"({"destination":"/proc","type":"proc"},{"destination":"/sys","type":"sysfs"},)"
    R"({"destination":"/sys/fs/cgroup/","type":"cgroup","source":"cgroup","options":["ro"]},)"
    R"({"destination":"/sys//fs/./cgroup","type":"tmpfs"}],"x-vendor":1.50})";

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

TEST(Recipe, LogsWhatUsersWerePromised) {
  const auto lines = [](cgroup_mode mode) {
    spec_builder spec;
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
  spec_builder spec = spec_builder::parse(R"({"root":{"path":"r","readonly":true}})").value();
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

TEST(Recipe, WordsOfTheCommand) {
  EXPECT_EQ(parse_cgroup_mode("sandbox").value(), cgroup_mode::sandbox);
  EXPECT_EQ(parse_cgroup_mode("host-bind").value(), cgroup_mode::host_bind);
  EXPECT_EQ(parse_cgroup_mode("none").value(), cgroup_mode::none);
  EXPECT_EQ(parse_cgroup_mode("host").error().code, errc::invalid);
  EXPECT_EQ(parse_data_root("tmpfs").value().size, 0u);
  EXPECT_EQ(parse_data_root("/srv").value().where, docker_data_root::kind::directory);
  for (const char* bad : {"", "srv", "tmpfs:", "tmpfs:big", "tmpfs2Gi"})
    EXPECT_EQ(parse_data_root(bad).error().code, errc::invalid) << bad;
}

}  // namespace
}  // namespace berth
