// Networks of nested containers on real runsc: names, published ports, the way out; and limits.
#include "support/docker_fixture.hpp"

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
  EXPECT_EQ(host_shell("curl -s --retry 20 --retry-delay 1 --retry-all-errors --max-time 30 http://" + address + ":8080/"),
            "published");
}

TEST_F(DockerNetwork, ANestedContainerReachesTheOutside) {
  ready();
  if (HasFatalFailure()) return;
  // The outside is a namespace of the test's own behind the host (TEST-NET-3), with a listener for tcp and for udp.
  ASSERT_EQ(host_shell("ip netns add bd-outside && ip link add bd-host type veth peer name eth0 netns bd-outside && "
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
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("203.0.113.2", 53))
    while True:  # a name server that knows no names
        data, peer = s.recvfrom(512); print("udp", peer[0], flush=True); s.sendto(data[:2] + b"\x81\x83" + data[4:], peer)
threading.Thread(target=tcp, daemon=True).start(); udp()
)"};
  options.env = minimal_environment();
  auto listening = process::start(loop_.context().get_executor(), options);
  ASSERT_TRUE(listening);
  // The host lets nothing through that does not come from the sandbox's own address: without SNAT nothing would arrive.
  const string said = docker({"run", "--rm", image(), "sh", "-c",
                              "i=0; until nc -w 5 203.0.113.2 7999 </dev/null || [ $i = 10 ]; do sleep 0.2; i=$((i+1)); done; "
                              "nslookup berth.test 203.0.113.2 >/dev/null 2>&1; true"});
  EXPECT_EQ(said, "tcp 203.0.113.1");
  for (int i = 0; i < 100 && listening->output(output_stream::out).empty(); ++i) loop_.run_for(milliseconds(100));
  EXPECT_EQ(listening->output(output_stream::out).substr(0, 16), "udp 203.0.113.1\n");
  (void)loop_.run(listening->stop(seconds(1)));
  EXPECT_EQ(host_shell("ip link del bd-host; ip netns del bd-outside; echo gone"), "gone");
}

TEST_F(DockerNetwork, LimitsOfNestedContainersAreTaken) {
  ready();
  if (HasFatalFailure()) return;
  docker({"run", "-d", "--name", "limited", "--memory", "64m", "--cpus", "0.5", image(), "sleep", "600"});
  EXPECT_EQ(docker({"inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}", "limited"}), "67108864 500000000");
  const string id = docker({"inspect", "-f", "{{.Id}}", "limited"});
  EXPECT_EQ(shell(*box_, "cat /sys/fs/cgroup/memory/docker/" + id + "/memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(shell(*box_, "cat /sys/fs/cgroup/cpu/docker/" + id + "/cpu.cfs_quota_us"), "50000");
}

TEST_F(DockerNetwork, ANestedContainerTellsItsOwnHostNameAndGVisorsKernel) {
  ready();
  if (HasFatalFailure()) return;
  const string said = docker({"run", "--rm", "--hostname", "nested-7", image(), "sh", "-c", "hostname; cat /proc/version"});
  EXPECT_EQ(said.substr(0, 9), "nested-7\n") << said;
  EXPECT_NE(said.find("gvisor"), string::npos) << said;
}

}  // namespace
