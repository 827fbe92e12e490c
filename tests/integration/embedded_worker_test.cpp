// SPDX-License-Identifier: Apache-2.0
// The example of a worker with runsc calls of its own, run as it stands.
#include "support/sandbox_fixture.hpp"

#include <berth/spec/minimal_spec.hpp>

#include <cstdlib>
#include <filesystem>

namespace {

using namespace berth;
using std::string;

class EmbeddedWorker : public berth_test::sandbox_test {};

TEST_F(EmbeddedWorker, GetsDockerInASandboxThatBerthDoesNotOwn) {
  const char* build = std::getenv("BERTH_BUILD");
  ASSERT_NE(build, nullptr) << "BERTH_BUILD must name the build directory; ctest sets it";
  const string worker = string(build) + "/bin/embedded_worker";
  ASSERT_TRUE(std::filesystem::exists(worker)) << worker;

  const string state = where_.root + "-w";
  const string bundle = state + "/bundle";
  std::filesystem::create_directories(bundle);
  const string netns = "bd-worker";
  ASSERT_EQ(host_shell("ip netns add " + netns + " && ip link add bd-worker type veth peer name eth0 netns " + netns +
                       " && ip addr add 203.0.113.9/30 dev bd-worker && ip link set bd-worker up && ip -n " + netns +
                       " link set lo up && ip -n " + netns + " addr add 203.0.113.10/30 dev eth0 && ip -n " + netns +
                       " link set eth0 up && ip -n " + netns + " route add default via 203.0.113.9 && echo ok"),
            "ok");
  minimal_spec_options options;
  options.args = {"sleep", "1000"};
  options.rootfs = rootfs_;
  options.hostname = "worker-box";
  options.network_namespace = "/var/run/netns/" + netns;
  auto spec = minimal_spec(options);
  ASSERT_TRUE(spec) << spec.error().to_string();
  ASSERT_TRUE(spec->write_file(bundle + "/config.json"));

  spawn_options run;
  run.argv = {worker, where_.runsc, bundle, state + "/s", "bd-worker"};
  run.env = minimal_environment();
  auto ran = loop_.run(run_process(run, {}, deadline_after(seconds(120))));
  EXPECT_EQ(host_shell("ip link del bd-worker; ip netns del " + netns + "; echo gone"), "gone");
  ASSERT_TRUE(ran) << ran.error().to_string();
  EXPECT_EQ(ran->status.code, 0) << ran->err;
  EXPECT_EQ(ran->out.substr(0, 7), "docker ") << ran->out;
  EXPECT_NE(ran->out.find(" with overlay2 in worker-box"), string::npos) << ran->out;
  for (const char* line : {"INF added docker capabilities for sandbox container\n",
                           "INF added cgroup mount for docker-in-docker\n", "INF preparing to start docker daemon\n",
                           "INF docker daemon process started - waiting for daemon to be ready pid=",
                           "DBG socket exists, checking daemon with 'docker info'...\n",
                           "INF docker daemon is ready and accepting commands retry_count="})
    EXPECT_NE(ran->err.find(line), string::npos) << line << "\nin\n" << ran->err;
  EXPECT_EQ(host_shell("pgrep -f -- '--root=" + state + "/s/runs[c]' || echo none"), "none");
  host_shell("umount " + state +
             "/s/runsc/null-netns 2>/dev/null");  // runsc 2026-09 leaves it to whoever made its root
  std::filesystem::remove_all(state);
}

}  // namespace
