// SPDX-License-Identifier: Apache-2.0
// What a guest decides in a sandbox that was restored; what it does there is for the integration tests.
#include "guest/checkpoint/docker_containers.hpp"
#include "guest/checkpoint/internet_sockets.hpp"
#include "guest/checkpoint/docker_links.hpp"
#include "guest/checkpoint/machine_id.hpp"
#include "guest/checkpoint/restored_hosts.hpp"

#include <gtest/gtest.h>

namespace {

using namespace berth::guest;

docker_links example() {
  docker_links all;
  all.bridges.push_back({"docker0", "02:42:00:00:00:01", 1386, {{"172.17.0.1", 16}, {"10.211.0.2", 32}}});
  all.bridges.push_back({"br-0123456789ab", "02:42:00:00:00:02", 1386, {{"172.18.0.1", 16}}});
  container_links web;
  web.pid = 120;
  web.links.push_back({"eth0", "02:42:ac:12:00:02", 1386, {{"172.18.0.2", 16}}});
  web.links.push_back({"tun0", "", 1400, {{"192.0.2.1", 24}}});
  web.gateway = "172.18.0.1";
  all.containers.push_back(web);
  return all;
}

TEST(DockerLinks, AreMadeAnewUnderTheirNamesAndAddresses) {
  const link_plan plan = plan_docker_links(example(), {"eth0"}, "10.211.0.2");
  EXPECT_EQ(plan.own,
            "link add docker0 type bridge\n"
            "link set docker0 address 02:42:00:00:00:01\n"
            "link set docker0 mtu 1400\n"
            "addr add 172.17.0.1/16 dev docker0\n"
            "link set docker0 up\n"
            "link add br-0123456789ab type bridge\n"
            "link set br-0123456789ab address 02:42:00:00:00:02\n"
            "link set br-0123456789ab mtu 1400\n"
            "addr add 172.18.0.1/16 dev br-0123456789ab\n"
            "link set br-0123456789ab up\n"
            "link add vethb0 type veth peer name vethb0p\n"
            "link set vethb0p netns berth-120\n"
            "link set vethb0 mtu 1400\n"
            "link set vethb0 master br-0123456789ab\n"
            "link set vethb0 up\n");
  ASSERT_EQ(plan.containers.size(), 1u);
  EXPECT_EQ(plan.containers[0].pid, 120);
  EXPECT_EQ(plan.containers[0].batch,
            "link set vethb0p name eth0\n"
            "link set eth0 address 02:42:ac:12:00:02\n"
            "link set eth0 mtu 1400\n"
            "addr add 172.18.0.2/16 dev eth0\n"
            "link set eth0 up\n"
            "route add default via 172.18.0.1\n");
}

TEST(DockerLinks, OfAContainerThatIsRestartedAreDockersToMake) {
  docker_links all = example();
  all.containers[0].cut_off = std::string(64, 'a');
  const link_plan plan = plan_docker_links(all, {"eth0"}, "");
  EXPECT_EQ(plan.own.find("veth"), std::string::npos) << plan.own;
  EXPECT_TRUE(plan.containers.empty());
}

TEST(DockerLinks, ThatAreThereStayAsTheyAre) {
  docker_links all = example();
  all.containers.clear();
  EXPECT_EQ(plan_docker_links(all, {"eth0", "docker0", "br-0123456789ab"}, "").own, "");
}

TEST(DockerLinks, ALinkBelongsToTheBridgeOfItsNetwork) {
  const docker_links all = example();
  EXPECT_EQ(bridge_of(all, all.containers[0].links[0]), &all.bridges[1]);
  EXPECT_EQ(bridge_of(all, all.containers[0].links[1]), nullptr);
  EXPECT_EQ(bridge_of(all, {"eth1", "", 0, {{"172.17.255.254", 16}}}), &all.bridges[0]);
}

TEST(RestoredHosts, TheSandboxIsCalledByItsNewName) {
  EXPECT_EQ(rename_in_hosts("127.0.0.1\tlocalhost\n10.211.0.2\told alias\n# old\n1.2.3.4 bold\n10.9.9.9 db", "old",
                            "10.211.0.6", "new"),
            "127.0.0.1\tlocalhost\n10.211.0.6\tnew alias\n# old\n1.2.3.4 bold\n10.9.9.9 db");
  EXPECT_EQ(rename_in_hosts("127.0.1.1\told\n", "old", "", "new"), "127.0.1.1\tnew\n");
  EXPECT_EQ(rename_in_hosts("", "old", "", "new"), "");
}

TEST(CutOffContainers, AreFoundByTheirCgroups) {
  const std::string id(64, 'a');
  EXPECT_EQ(container_of_cgroups("7:pids:/tok/docker/" + id + "\n1:cpu:/tok/docker/" + id + "\n"), id);
  EXPECT_EQ(container_of_cgroups("7:pids:/tok\n"), "");
  EXPECT_EQ(container_of_cgroups("7:pids:/tok/docker/short\n"), "");
}

TEST(InternetSockets, AreReadAsTheKernelListsThem) {
  const std::vector<internet_socket> all = parse_socket_table(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      " 479: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0      480 2 0\n"
      " 481: 0B00007F:8720 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0      482 2 0\n"
      " 483: 00000000000000000000000000000000:1F90 0:0 01 0:0 0:0 0     0        0      484 1 0\n"
      "broken\n",
      true);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].inode, "480");
  EXPECT_EQ(all[0].port, 80u);
  EXPECT_EQ(all[0].state, 10u);
  EXPECT_TRUE(all[0].tcp);
  EXPECT_FALSE(all[0].of_resolver);
  EXPECT_TRUE(all[1].of_resolver);
  EXPECT_EQ(all[2].port, 8080u);
  EXPECT_EQ(all[2].state, 1u);
}

TEST(InternetSockets, OneOfTheSandboxsOwnWaitsForThoseOfContainers) {
  const auto socket = [](const char* space, unsigned state, unsigned port = 80, bool tcp = true,
                         bool resolver = false) {
    return open_socket{7, space, {"1", port, state, tcp, resolver}};
  };
  constexpr unsigned established = 1, connecting = 2, time_wait = 6, closed = 7, listening = 10;
  const auto waits = [](const std::vector<open_socket>& all, bool unseen = false) {
    return keeps_restore_waiting(all, "own", unseen) != nullptr;
  };
  EXPECT_FALSE(waits({}));
  EXPECT_FALSE(waits({}, true));
  EXPECT_TRUE(waits({socket("own", listening)}, true));
  EXPECT_FALSE(waits({socket("own", listening)}));
  EXPECT_FALSE(waits({socket("own", listening), socket("own", established)}));
  EXPECT_TRUE(waits({socket("own", listening), socket("other", established)}));
  EXPECT_TRUE(waits({socket("other", time_wait), socket("own", listening)}));
  EXPECT_FALSE(waits({socket("own", established), socket("other", established)}));
  EXPECT_FALSE(waits({socket("own", listening), socket("other", listening)}));
  // Bound or connecting, they wait for listening ones, dockerd's resolver among them.
  EXPECT_TRUE(waits({socket("own", connecting), socket("other", listening)}));
  EXPECT_TRUE(waits({socket("own", closed), socket("own", listening, 53, true, true)}));
  EXPECT_FALSE(waits({socket("own", closed, 0), socket("other", listening)}));
  EXPECT_FALSE(waits({socket("own", closed, 53, false), socket("other", established)}));
  EXPECT_FALSE(waits({socket("own", listening, 53, true, true), socket("other", established)}));
}

TEST(MachineId, IsMadeAnewWhereThereIsOneOnly) {
  EXPECT_TRUE(has_machine_id("0123456789abcdef0123456789ABCDEF\n"));
  EXPECT_TRUE(has_machine_id("0123456789abcdef0123456789abcdef"));
  for (const char* none : {"", "uninitialized\n", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdeg",
                           "0123456789abcdef0123456789abcdef\n\n"})
    EXPECT_FALSE(has_machine_id(none)) << none;
  std::array<unsigned char, 16> random{};
  random.fill(0xff);
  const std::string id = form_machine_id(random);
  EXPECT_EQ(id, "ffffffffffff4fffbfffffffffffffff");
  EXPECT_TRUE(has_machine_id(id));
}

}  // namespace
