// SPDX-License-Identifier: Apache-2.0
#include <berth/docker/plan.hpp>
#include <berth/docker/start_arguments.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace berth {
namespace {

using strings = std::vector<std::string>;

bool has(const strings& all, std::string_view one) { return std::find(all.begin(), all.end(), one) != all.end(); }

docker_versions docker(std::uint32_t major, program_version runc = {1, 1, 5}) {
  return {{major, 0, 1}, {1, 7, 0}, runc};
}

TEST(PlanDocker, TheArgumentsOfDockerd) {
  docker_plan_options o;
  o.versions = docker(20);
  o.runsc_release = 20260701;
  o.uplink_device = "eth0";
  o.uplink_address = "10.1.2.3";
  o.uplink_mtu = 1420;
  o.sockets = {"/var/run/docker.sock", "/run/berth/docker.sock"};
  o.dockerd_args = {"--debug"};
  auto plan = plan_docker(o);
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ(plan->dockerd_argv,
            (strings{"dockerd", "--iptables=false", "--ip6tables=false", "--host=unix:///run/berth/docker.sock",
                     "--host=unix:///var/run/docker.sock", "--mtu=1420", "--debug"}));
  EXPECT_EQ(strings(plan->start.argv.begin(), plan->start.argv.begin() + 8),
            (strings{"/.berth/init", "start-docker", "--device=eth0", "--address=10.1.2.3", "--snat",
                     "--data-root=/var/lib/docker", "--runtime=guest", "--"}));
  EXPECT_EQ(strings(plan->start.argv.begin() + 8, plan->start.argv.end()), plan->dockerd_argv);
  EXPECT_FALSE(plan->needs_packet_socket_write);
  EXPECT_FALSE(plan->wraps_runc);
  EXPECT_TRUE(plan->warnings.empty());
}

TEST(PlanDocker, TheGuestReadsWhatThePlanWrites) {
  docker_plan_options o;
  o.uplink_device = "$(touch /x)";
  o.dockerd_args = {"`touch /y`", "a b", "'", "--", "--snat"};
  o.snat = false;
  o.data_root = "/d=e";
  o.wrap_runc = docker_plan_options::runc_wrapper::never;
  auto plan = plan_docker(o);
  ASSERT_TRUE(plan);
  const strings& argv = plan->start.argv;
  EXPECT_EQ(argv[1], docker_start_verb);
  const auto read = parse_docker_start({argv.begin() + 2, argv.end()});
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->device, o.uplink_device);
  EXPECT_EQ(read->address, "");
  EXPECT_TRUE(read->mtu);
  EXPECT_FALSE(read->snat);
  EXPECT_EQ(read->data_root, "/d=e");
  EXPECT_EQ(read->before_runc, docker_start_arguments::runtime::plain);
  EXPECT_EQ(read->dockerd, plan->dockerd_argv);
}

TEST(ParseDockerStart, RefusesWhatItDoesNotKnow) {
  for (const strings& args : {strings{},
                              {"--"},
                              {"--snat"},
                              {"--what", "--", "dockerd"},
                              {"--runtime=own", "--", "dockerd"},
                              {"dockerd"},
                              {"--mtu=1400", "--", "dockerd"}})
    EXPECT_FALSE(parse_docker_start(args)) << (args.empty() ? "nothing" : args.front());
}

TEST(PlanDocker, Docker28NeedsThePacketFlagAndAnUnknownVersionGetsNone) {
  EXPECT_TRUE(docker_needs_packet_socket_write(docker(28)));
  EXPECT_FALSE(docker_needs_packet_socket_write({}));
  EXPECT_FALSE(docker_needs_packet_socket_write(docker(27)));
}

TEST(PlanDocker, WrapsRuncWhereThisRuncMeetsThisRunsc) {
  struct row {
    std::uint32_t runsc;
    program_version runc;
    bool wraps;
  };
  const row rows[] = {
      {20260701, {1, 3, 5}, false}, {20260701, {1, 3, 6}, true}, {20260701, {1, 4, 2}, false},
      {20260701, {1, 4, 3}, true},  {20260701, {1, 5, 0}, true}, {20260714, {1, 3, 6}, false},
      {20260701, {}, true},         {0, {1, 3, 6}, false},
  };
  for (const row& r : rows) {
    docker_plan_options o;
    o.versions = docker(27, r.runc);
    o.runsc_release = r.runsc;
    auto plan = plan_docker(o);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->wraps_runc, r.wraps) << r.runsc << ' ' << r.runc.to_string();
    EXPECT_EQ(has(plan->start.argv, "--runtime=unmasking"), r.wraps);
    EXPECT_EQ(has(plan->start.argv, "--runtime=guest"), !r.wraps) << "the nested runtime is there for more than masks";
    for (const std::string& arg : plan->dockerd_argv)
      EXPECT_EQ(arg.find("runtime"), std::string::npos) << "a container would keep the runtime's name: " << arg;
  }
}

TEST(PlanDocker, TheWrapperCanBeForcedOrForbidden) {
  docker_plan_options o;
  o.runsc_release = 20270101;
  o.wrap_runc = docker_plan_options::runc_wrapper::always;
  EXPECT_TRUE(plan_docker(o)->wraps_runc);
  o.runsc_release = 20260701;
  o.wrap_runc = docker_plan_options::runc_wrapper::never;
  EXPECT_FALSE(plan_docker(o)->wraps_runc);
  EXPECT_TRUE(has(plan_docker(o)->start.argv, "--runtime=plain"));
}

TEST(PlanDocker, RefusesAPairThatCannotRunContainers) {
  docker_plan_options o;
  o.versions = docker(28);
  o.runsc_release = 20240729;
  auto plan = plan_docker(o);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, errc::unsupported);
  EXPECT_NE(plan.error().message.find("unsafe procfs"), std::string::npos);
  EXPECT_NE(plan.error().hint.find("20250304.0"), std::string::npos) << plan.error().hint;
  o.versions = docker(27);
  EXPECT_TRUE(plan_docker(o));
  o.versions = docker(28);
  o.runsc_release = 20250304;
  EXPECT_TRUE(plan_docker(o));
}

TEST(PlanDocker, SaysWhatARunscCannotDoForIt) {
  docker_plan_options o;
  o.versions = docker(26);
  o.runsc_release = 20250630;
  ASSERT_EQ(plan_docker(o)->gaps.size(), 1u);
  EXPECT_NE(plan_docker(o)->gaps.front().find("20250707.0"), std::string::npos);
  EXPECT_EQ(plan_docker(o)->warnings, plan_docker(o)->gaps);
  // What was tried: 28 on 20260224, whose only gap is a host directory as the data root.
  o.versions = docker(28);
  o.runsc_release = 20260224;
  EXPECT_TRUE(plan_docker(o)->gaps.empty());
  o.data_root_on_host = true;
  ASSERT_EQ(plan_docker(o)->gaps.size(), 1u);
  EXPECT_NE(plan_docker(o)->gaps.front().find("20260520.0"), std::string::npos);
  EXPECT_FALSE(has(plan_docker(o)->dockerd_argv, "--feature=containerd-snapshotter=false"));
  o.versions = docker(29);
  EXPECT_TRUE(has(plan_docker(o)->dockerd_argv, "--feature=containerd-snapshotter=false"));
  o.runsc_release = 20260701;
  EXPECT_TRUE(plan_docker(o)->gaps.empty());
}

TEST(PlanDocker, WithoutAMountOnTheDataRootDocker29GetsItsOldStoreAndAWarning) {
  docker_plan_options o;
  o.versions = docker(29);
  EXPECT_FALSE(has(plan_docker(o)->dockerd_argv, "--feature=containerd-snapshotter=false"));
  o.data_root_mounted = false;
  EXPECT_TRUE(has(plan_docker(o)->dockerd_argv, "--feature=containerd-snapshotter=false"));
  EXPECT_EQ(plan_docker(o)->warnings.size(), 1u);
  o.versions = docker(20);
  EXPECT_FALSE(has(plan_docker(o)->dockerd_argv, "--feature=containerd-snapshotter=false"))
      << "20.10 knows no --feature";
}

TEST(PlanDocker, TheCgroupsAreJoinedWhereRunscIsKnownToHaveTheOption) {
  docker_plan_options o;
  EXPECT_FALSE(plan_docker(o)->joins_cgroups) << "of one that is not known nothing is asked that it may refuse";
  o.runsc_release = 20260701;
  EXPECT_FALSE(plan_docker(o)->joins_cgroups);
  o.runsc_release = 20260905;
  EXPECT_TRUE(plan_docker(o)->joins_cgroups);
}

TEST(PlanDocker, DataRootAndStorageDriver) {
  docker_plan_options o;
  o.data_root = "/data/docker";
  o.storage_driver = "vfs";
  auto plan = plan_docker(o);
  EXPECT_TRUE(has(plan->dockerd_argv, "--data-root=/data/docker"));
  EXPECT_TRUE(has(plan->dockerd_argv, "--storage-driver=vfs"));
  EXPECT_EQ(plan->warnings.size(), 1u);
}

TEST(PlanDocker, RefusesWhatCannotBeMeant) {
  const auto code = [](auto edit) {
    docker_plan_options o;
    edit(o);
    auto plan = plan_docker(o);
    return plan ? errc::ok : plan.error().code;
  };
  EXPECT_EQ(code([](auto&) {}), errc::ok);
  EXPECT_EQ(code([](auto& o) { o.sockets.clear(); }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.sockets = {"run/docker.sock"}; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.data_root = "docker"; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.uplink_address = "10.0.0.1/24"; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.uplink_address = "fe80::1"; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.dockerd = ""; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.guest = "berth/init"; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.guest = ""; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.dockerd_args = {std::string("a\0b", 3)}; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.env = {"NOVALUE"}; }), errc::invalid);
  EXPECT_EQ(code([](auto& o) { o.env = {"=x"}; }), errc::invalid);
}

TEST(ParseStartMarker, TellsMarkersFromOtherLines) {
  using kind = start_marker::kind;
  EXPECT_EQ(parse_start_marker("berth:n0:missing", "n0").what, kind::missing);
  EXPECT_EQ(parse_start_marker("berth:n0:pid 12", "n0").what, kind::pid);
  EXPECT_EQ(parse_start_marker("berth:n0:pid 12", "n0").text, "12");
  EXPECT_EQ(parse_start_marker("berth:n0:failed cannot make /var/run", "n0").text, "cannot make /var/run");
  EXPECT_EQ(parse_start_marker("berth:n0:network", "n0").what, kind::network);
  EXPECT_EQ(parse_start_marker("berth:n0:unheard of", "n0").what, kind::none);
  EXPECT_EQ(parse_start_marker("time=\"…\" level=info msg=\"berth:n0:pid 1\"", "n0").what, kind::none);
  EXPECT_EQ(parse_start_marker("", "n0").what, kind::none);
}

TEST(ParseStartMarker, TakesOnlyThoseOfItsRun) {
  using kind = start_marker::kind;
  for (const char* line :
       {"berth:pid 12", "berth::pid 12", "berth:n1:pid 12", "berth:n:pid 12", "berth:n0pid 12", "berth:n00:pid 12"})
    EXPECT_EQ(parse_start_marker(line, "n0").what, kind::none) << line;
  EXPECT_EQ(parse_start_marker("berth::pid 12", "").what, kind::none) << "without a nonce there are no markers";
}

}  // namespace
}  // namespace berth
