// SPDX-License-Identifier: Apache-2.0
// Networks of nested containers on real runsc: names, published ports, the way out; and limits.
#include "support/docker_fixture.hpp"

#include <berth/docker/client.hpp>

#include <cstdlib>
#include <set>

namespace {

using namespace berth;
using std::string;

class DockerNetwork : public berth_test::docker_test {
 protected:
  // One daemon and image a test: a sandbox takes a second.
  void ready() {
    up();
    if (HasFatalFailure()) return;
    load_image();
  }
};

/// Containers that run inside/calls.c, and what they reach.
class NestedNetworks : public DockerNetwork {
 protected:
  void SetUp() override {
    DockerNetwork::SetUp();
    if (!ready_) return;
    const char* build = std::getenv("BERTH_BUILD");
    ASSERT_NE(build, nullptr) << "BERTH_BUILD must name the build directory; ctest sets it";
    sandbox_config what = config(network_mode::sandbox);
    what.mounts = {{string(build) + "/inside", "/inside", true}};
    make(tmpfs_recipe(), std::move(what));
    ASSERT_TRUE(box_);
    const auto started = start();
    ASSERT_TRUE(started) << started.error().to_string();
    load_image();
  }
  void TearDown() override {
    if (outside_made_) host_shell("kill " + outside_pid_ + "; ip link del bd-host; ip netns del bd-outside");
    DockerNetwork::TearDown();
  }

  /// A server on port 80 and, if wanted, published at 8080 of the sandbox.
  void container(const string& name, const string& network, bool publish = false) {
    std::vector<string> words{"run", "-d", "--name", name, "-v", "/inside:/inside", "--network", network};
    if (publish) words.insert(words.end(), {"-p", "8080:80", "-p", "8080:80/udp"});
    words.insert(words.end(), {image(), "/inside/calls", "serve", "80"});
    docker(words);
    for (int i = 0; i < 200 && docker({"logs", name}).find("serving") == string::npos; ++i)
      loop_.run_for(milliseconds(50));
  }
  string address(const string& name, const string& network) {
    return docker({"inspect", "-f", "{{(index .NetworkSettings.Networks \"" + network + "\").IPAddress}}", name});
  }
  string calls(const string& from, const string& kind, const string& to, int port, int count = 1) {
    return docker({"exec", from, "/inside/calls", kind, to, std::to_string(port), std::to_string(count)});
  }
  /// What must not be reached is not waited for.
  bool reaches(const string& from, const string& to, int port) {
    return docker({"exec", from, "sh", "-c",
                   "timeout 3 /inside/calls tcp " + to + " " + std::to_string(port) + " 1 || true"})
               .find("answered 1 of 1") != string::npos;
  }
  /// A server in a namespace of its own behind the host, at 203.0.113.2:7999.
  void make_outside() {
    outside_made_ = true;
    outside_pid_ = host_shell(
        "ip netns add bd-outside && ip link add bd-host type veth peer name eth0 netns bd-outside && "
        "ip addr add 203.0.113.1/24 dev bd-host && ip link set bd-host up && "
        "ip -n bd-outside addr add 203.0.113.2/24 dev eth0 && ip -n bd-outside link set eth0 up && "
        "{ ip netns exec bd-outside $BERTH_BUILD/inside/calls serve 7999 >/dev/null 2>&1 </dev/null & echo $!; }");
  }

  bool outside_made_ = false;
  string outside_pid_;
};

TEST_F(NestedNetworks, LoseNoConnectionInEitherDirection) {
  for (const char* network : {"bridge", "front"}) {
    SCOPED_TRACE(network);
    if (string(network) == "front") docker({"network", "create", network});
    const string a = string(network) + "-a", b = string(network) + "-b";
    container(a, network);
    container(b, network);
    const string at_a = address(a, network), at_b = address(b, network);
    // Both at once, each answering while it asks.
    command what = docker_client_command({"exec", a, "/inside/calls", "tcp", at_b, "80", "2000"});
    auto there = loop_.run(box_->start(what, {}));
    ASSERT_TRUE(there) << there.error().to_string();
    EXPECT_EQ(calls(b, "tcp", at_a, 80, 2000), "answered 2000 of 2000");
    auto ended = loop_.run((*there)->wait(deadline_after(seconds(120))));
    ASSERT_TRUE(ended) << ended.error().to_string();
    EXPECT_EQ((*there)->output(output_stream::out), "answered 2000 of 2000\n");
    const string pinged = docker({"exec", a, "ping", "-c", "3", at_b});
    EXPECT_NE(pinged.find("3 packets transmitted, 3 packets received, 0% packet loss"), string::npos) << pinged;
    EXPECT_EQ(pinged.find("ttl=63"), string::npos) << pinged;  // forwarded
  }
}

TEST_F(NestedNetworks, AreHeldToTheSandboxesEgress) {
  make_outside();
  container("web", "bridge", true);
  docker({"run", "-d", "--name", "in-host-network", "-v", "/inside:/inside", "--network", "host", image(), "sleep",
          "inf"});
  const auto set = [&](const char* rule) {
    const auto done = loop_.run(box_->set_egress(*parse_egress({rule})));
    EXPECT_TRUE(done) << done.error().to_string();
  };
  for (const char* from : {"web", "in-host-network"}) {
    SCOPED_TRACE(from);
    EXPECT_TRUE(reaches(from, "203.0.113.2", 7999));
    set("none");
    EXPECT_FALSE(reaches(from, "203.0.113.2", 7999));
    set("203.0.113.2:7998");
    EXPECT_FALSE(reaches(from, "203.0.113.2", 7999));
    set("203.0.113.2:7999");
    EXPECT_TRUE(reaches(from, "203.0.113.2", 7999));
    set("all");
  }
  // What it publishes is reached, whatever it may reach.
  set("none");
  const string calls = "$BERTH_BUILD/inside/calls tcp " + box_->record().net->address() + " 8080 9";
  EXPECT_EQ(host_shell(calls), "answered 9 of 9");
}

// Whoever they ask: the name server that Docker has for a network, the sandbox's, one that they have built in.
TEST_F(NestedNetworks, QuestionsForNamesAreHeldToTheSandboxesEgress) {
  docker({"network", "create", "own"});
  const auto set = loop_.run(box_->set_egress(*parse_egress({"www.example.com"})));
  ASSERT_TRUE(set) << set.error().to_string();
  docker({"run", "--rm", "--network", "own", image(), "sh", "-c", "nslookup one.example.net || :"});
  docker({"run", "--rm", image(), "sh", "-c", "nslookup two.example.net || :"});
  const string said =
      docker({"run", "--rm", "--network", "own", image(), "sh", "-c", "nslookup three.example.net 192.0.2.53 || :"});
  EXPECT_NE(said.find("NXDOMAIN"), string::npos) << said;
  const auto now = loop_.run(box_->egress());
  ASSERT_TRUE(now) << now.error().to_string();
  std::set<string> names;
  for (const refused_name& one : now->refused_names) names.insert(one.name);
  for (const char* name : {"one.example.net", "two.example.net", "three.example.net"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST_F(NestedNetworks, AreApartFromEachOtherAndAContainerMayBeOnTwo) {
  docker({"network", "create", "front"});
  docker({"network", "create", "back"});
  container("plain", "bridge");
  container("web", "front");
  container("db", "back");
  container("both", "front");
  docker({"network", "connect", "back", "both"});
  EXPECT_FALSE(reaches("web", address("db", "back"), 80));
  EXPECT_FALSE(reaches("db", address("web", "front"), 80));
  EXPECT_FALSE(reaches("plain", address("web", "front"), 80));
  EXPECT_FALSE(reaches("web", address("plain", "bridge"), 80));
  EXPECT_TRUE(reaches("both", address("web", "front"), 80));
  EXPECT_TRUE(reaches("both", address("db", "back"), 80));
  EXPECT_TRUE(reaches("db", address("both", "back"), 80));
  EXPECT_TRUE(reaches("web", address("both", "front"), 80));
}

TEST_F(NestedNetworks, AnswerAtTheSandboxesOwnAddress) {
  docker({"network", "create", "front"});
  container("published", "bridge", true);
  container("plain", "bridge");
  container("web", "front");
  const string own = box_->record().net->address();
  for (const char* from : {"plain", "web", "published"}) {
    SCOPED_TRACE(from);
    EXPECT_EQ(calls(from, "tcp", own, 8080, 20), "answered 20 of 20");
    EXPECT_EQ(calls(from, "udp", own, 8080), "answered 1 of 1");
    EXPECT_NE(docker({"exec", from, "ping", "-c", "1", "-W", "20", own}).find(" 0% packet loss"), string::npos);
  }
  // From outside, as ever.
  EXPECT_EQ(
      host_shell("$BERTH_BUILD/inside/calls tcp " + own + " 8080 20; $BERTH_BUILD/inside/calls udp " + own + " 8080"),
      "answered 20 of 20\nanswered 1 of 1");
  EXPECT_EQ(shell(*box_, "/inside/calls tcp " + own + " 8080 20"), "answered 20 of 20");
}

TEST_F(NestedNetworks, AnInternalOneIsInternal) {
  make_outside();
  docker({"network", "create", "front"});
  container("published", "front", true);
  docker({"network", "create", "--internal", "inner"});
  docker({"network", "create", "--internal", "--opt", "com.docker.network.bridge.name=named0", "named"});
  container("vault", "inner");
  container("user", "inner");
  container("other", "named");
  const string own = box_->record().net->address();
  EXPECT_TRUE(reaches("published", "203.0.113.2", 7999));
  EXPECT_TRUE(reaches("user", address("vault", "inner"), 80));
  for (const char* inside : {"user", "other"}) {
    SCOPED_TRACE(inside);
    EXPECT_FALSE(reaches(inside, "203.0.113.2", 7999));
    EXPECT_FALSE(reaches(inside, own, 8080));
    EXPECT_FALSE(reaches(inside, address("published", "front"), 80));
  }
  EXPECT_FALSE(reaches("published", address("vault", "inner"), 80));
  EXPECT_FALSE(reaches("other", address("vault", "inner"), 80));
  // One on two networks has the way out of the other, as long as it is on it.
  docker({"network", "connect", "inner", "published"});
  EXPECT_TRUE(reaches("published", address("vault", "inner"), 80));
  EXPECT_TRUE(reaches("published", "203.0.113.2", 7999));
  docker({"network", "disconnect", "front", "published"});
  EXPECT_FALSE(reaches("published", "203.0.113.2", 7999));
  // Nothing is left of one that is gone.
  docker({"rm", "-f", "vault", "user", "published"});
  docker({"network", "rm", "inner"});
  const string bridges = "iptables-legacy -S BERTH-FORWARD | grep -c -e '-[io] br-.* -j DROP' || true";
  for (int i = 0; i < 400 && shell(*box_, bridges) != "0"; ++i) loop_.run_for(milliseconds(50));
  EXPECT_EQ(shell(*box_, bridges), "0");
}

TEST_F(NestedNetworks, AreKeptInOrderBySomebodyWhoEndsWithDocker) {
  const string watchers = "grep -l -a 'follow-bridge[s]' /proc/[0-9]*/cmdline 2>/dev/null | wc -l";
  EXPECT_NE(shell(*box_, watchers), "0");
  const auto stopped = loop_.run(daemon_->stop());
  ASSERT_TRUE(stopped) << stopped.error().to_string();
  for (int i = 0; i < 120 && shell(*box_, watchers) != "0"; ++i) loop_.run_for(milliseconds(500));
  EXPECT_EQ(shell(*box_, watchers), "0");
  // A dockerd that is started again has its rules once.
  daemon_.reset();
  const auto started = start();
  ASSERT_TRUE(started) << started.error().to_string();
  container("published", "bridge", true);
  container("plain", "bridge");
  EXPECT_EQ(calls("plain", "tcp", box_->record().net->address(), 8080), "answered 1 of 1");
  EXPECT_EQ(shell(*box_,
                  "iptables-legacy -S FORWARD | grep -c BERTH; iptables-legacy -t nat -S | grep -c -e '-A BERTH-SNAT'"),
            "1\n2");
}

TEST_F(DockerNetwork, ContainersOfAUserNetworkFindEachOtherByName) {
  ready();
  if (HasFatalFailure()) return;
  docker({"network", "create", "front"});
  docker({"run", "-d", "--name", "web", "--network", "front", image(), "sh", "-c",
          "mkdir /www; echo from-web > /www/index.html; httpd -f -p 80 -h /www"});
  const string script =
      "i=0; until wget -q -O - http://web/ || [ $i = 50 ]; do sleep 0.2; i=$((i+1)); done; "
      "nslookup web 127.0.0.11 >/dev/null && echo resolved; ping -c 1 -W 5 web >/dev/null && echo pinged";
  EXPECT_EQ(docker({"run", "--rm", "--network", "front", image(), "sh", "-c", script}), "from-web\nresolved\npinged");
  // Not from another network.
  docker({"network", "create", "other"});
  EXPECT_EQ(docker({"run", "--rm", "--network", "other", image(), "sh", "-c",
                    "nslookup web 127.0.0.11 >/dev/null 2>&1 && echo found || echo unknown"}),
            "unknown");
}

TEST_F(DockerNetwork, APublishedPortIsServedAtTheSandboxesAddress) {
  ready();
  if (HasFatalFailure()) return;
  docker({"run", "-d", "-p", "8080:80", image(), "sh", "-c",
          "mkdir /www; echo published > /www/index.html; httpd -f -p 80 -h /www"});
  ASSERT_TRUE(box_->record().net);
  const string address = box_->record().net->address();
  EXPECT_EQ(
      host_shell("curl -s --retry 20 --retry-delay 1 --retry-all-errors --max-time 30 http://" + address + ":8080/"),
      "published");
}

TEST_F(DockerNetwork, ANestedContainerReachesTheOutside) {
  ready();
  if (HasFatalFailure()) return;
  // The outside is a namespace of the test's own behind the host (TEST-NET-3), with a listener for tcp and for udp.
  ASSERT_EQ(
      host_shell("ip netns add bd-outside && ip link add bd-host type veth peer name eth0 netns bd-outside && "
                 "ip addr add 203.0.113.1/24 dev bd-host && ip link set bd-host up && "
                 "ip -n bd-outside addr add 203.0.113.2/24 dev eth0 && ip -n bd-outside link set eth0 up && echo ok"),
      "ok");
  berth::spawn_options options;
  options.argv = {"ip", "netns", "exec", "bd-outside", "python3", "-c", R"(
import socket, threading
def tcp():
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("203.0.113.2", 7999)); s.listen()
    while True:
        c, peer = s.accept(); c.sendall(("tcp " + peer[0] + "\n").encode()); c.close()
def much():
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("203.0.113.2", 7998)); s.listen()
    while True:
        c, peer = s.accept()
        try: c.sendall(bytes(32 << 20))
        except OSError: pass
        c.close()
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("203.0.113.2", 53))
    while True:  # a name server that knows no names
        data, peer = s.recvfrom(512); print("udp", peer[0], flush=True); s.sendto(data[:2] + b"\x81\x83" + data[4:], peer)
for serve in (tcp, much): threading.Thread(target=serve, daemon=True).start()
udp()
)"};
  options.env = minimal_environment();
  auto listening = process::start(loop_.context().get_executor(), options);
  ASSERT_TRUE(listening);
  // The host lets nothing through that does not come from the sandbox's own address: without SNAT nothing would arrive.
  const string said =
      docker({"run", "--rm", image(), "sh", "-c",
              "i=0; until nc -w 5 203.0.113.2 7999 </dev/null || [ $i = 10 ]; do sleep 0.2; i=$((i+1)); done; "
              "nslookup berth.test 203.0.113.2 >/dev/null 2>&1; true"});
  EXPECT_EQ(said, "tcp 203.0.113.1");
  // Much of it: what the host hands over in pieces of 64 KiB passes the bridges, which came to 30 KB a second before, and would not
  // be there before all patience is over. The container's own link has the MTU of the way out all the same.
  docker({"network", "create", "own"});
  const string mtu = "ip link show eth0 | sed -n 's/.*mtu \\([0-9]*\\).*/\\1/p'";
  const int way_out = std::stoi(shell(*box_, mtu));
  for (const char* network : {"bridge", "own"}) {
    EXPECT_EQ(docker({"run", "--rm", "--network", network, image(), "sh", "-c",
                      "timeout 100 nc 203.0.113.2 7998 </dev/null | wc -c"}),
              std::to_string(32 << 20))
        << network;
  }
  EXPECT_LE(std::stoi(docker({"run", "--rm", image(), "sh", "-c", mtu})), way_out);
  for (int i = 0; i < 100 && listening->output(output_stream::out).empty(); ++i) loop_.run_for(milliseconds(100));
  EXPECT_EQ(listening->output(output_stream::out).substr(0, 16), "udp 203.0.113.1\n");
  (void)loop_.run(listening->stop(seconds(1)));
  EXPECT_EQ(host_shell("ip link del bd-host; ip netns del bd-outside; echo gone"), "gone");
}

TEST_F(DockerNetwork, LimitsOfNestedContainersAreTaken) {
  ready();
  if (HasFatalFailure()) return;
  docker({"run", "-d", "--name", "limited", "--memory", "64m", "--cpus", "0.5", image(), "sleep", "600"});
  EXPECT_EQ(docker({"inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", "limited"}),
            "67108864 500000000");
  const string id = docker({"inspect", "-f", "{{.Id}}", "limited"});
  EXPECT_EQ(shell(*box_, "cat /sys/fs/cgroup/memory/docker/" + id + "/memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(shell(*box_, "cat /sys/fs/cgroup/cpu/docker/" + id + "/cpu.cfs_quota_us"), "50000");
}

TEST_F(DockerNetwork, ANestedContainerTellsItsOwnHostNameAndGVisorsKernel) {
  ready();
  if (HasFatalFailure()) return;
  const string said =
      docker({"run", "--rm", "--hostname", "nested-7", image(), "sh", "-c", "hostname; cat /proc/version"});
  EXPECT_EQ(said.substr(0, 9), "nested-7\n") << said;
  EXPECT_NE(said.find("gvisor"), string::npos) << said;
}

}  // namespace
