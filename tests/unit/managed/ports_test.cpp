// SPDX-License-Identifier: Apache-2.0
#include <berth/managed/ports.hpp>

#include <gtest/gtest.h>

#include <string>

namespace berth::test {
namespace {

std::string json_of(std::string_view docker_says, std::vector<published_port> published = {}) {
  json_writer out;
  write_json(out, sandbox_ports{std::move(published), parse_container_ports(docker_says)});
  return out.take();
}

TEST(SandboxPorts, AreWhatDockerListsByItsContainers) {
  published_port of_the_host;
  of_the_host.host_port = 8080;
  of_the_host.port = 80;
  EXPECT_EQ(json_of("aa\tweb\t0.0.0.0:80->8000/tcp, [::]:80->8000/tcp, 443/tcp\nbb\tquiet\t\ncc\tdns\t:::53->53/udp\n",
                    {of_the_host}),
            R"({"ports":["127.0.0.1:8080:80/tcp"],"containers":[)"
            R"({"container":"aa","name":"web","ports":["0.0.0.0:80:8000/tcp","[::]:80:8000/tcp"]},)"
            R"({"container":"cc","name":"dns","ports":["[::]:53:53/udp"]}]})");
  EXPECT_EQ(json_of(""), R"({"ports":[],"containers":[]})");
}

TEST(SandboxPorts, OfARangeAreOneByOne) {
  EXPECT_EQ(json_of("aa\tn\t127.0.0.1:9000-9002->90-92/tcp"),
            R"({"ports":[],"containers":[{"container":"aa","name":"n","ports":)"
            R"(["127.0.0.1:9000:90/tcp","127.0.0.1:9001:91/tcp","127.0.0.1:9002:92/tcp"]}]})");
}

// The sandbox may say anything here.
TEST(SandboxPorts, OfNonsenseAreNone) {
  for (const std::string_view said :
       {"aa\tn\t0.0.0.0:80->x/tcp", "aa\tn\t0.0.0.0:2-1->2-1/tcp", "aa\tn\t0.0.0.0:1-3->1-2/tcp", "->", "\t\t->/",
        "aa\tn\t80->80/tcp", "aa\tn\t1.2.3.4:99999->80/tcp", "aa\tn\t1.2.3.4:80->80/icmp", "\n\n", "aa"})
    EXPECT_EQ(json_of(said), R"({"ports":[],"containers":[]})") << said;
  const auto shown = parse_container_ports("a\x1b[2Ja\t\x9b\t0.0.0.0:1->1/tcp");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].container, "a\\x1b[2Ja");
  std::string many = "aa\tn\t";
  for (int i = 0; i < 5; ++i) many += "0.0.0.0:1-2000->1-2000/tcp, ";
  ASSERT_EQ(parse_container_ports(many).size(), 1u);
  EXPECT_EQ(parse_container_ports(many)[0].ports.size(), 4096u);
  std::string crowd;
  for (int i = 0; i < 5000; ++i) crowd += "a\tn\t0.0.0.0:1->1/tcp\n";
  EXPECT_EQ(parse_container_ports(crowd).size(), 4096u);
}

}  // namespace
}  // namespace berth::test
