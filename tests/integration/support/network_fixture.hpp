// SPDX-License-Identifier: Apache-2.0
// An outside world for sandboxes: a network namespace of the test's own, behind the host; and who asks and answers there.
#pragma once

#include "sandbox_fixture.hpp"

#include <signal.h>

#include <fstream>
#include <sstream>

namespace berth_test {

class network_test : public sandbox_test {
 protected:
  static berth::egress_policy rules(const std::vector<std::string>& words) {
    auto policy = berth::parse_egress(words);
    EXPECT_TRUE(policy) << policy.error().to_string();
    return policy ? *policy : berth::egress_policy::none();
  }
  // 198.51.100.0/24 (TEST-NET-2) and, for the cloud's metadata, 169.254.169.254 are out there.
  static constexpr const char* outside = "198.51.100.2";
  static constexpr const char* host = "198.51.100.1";

  void SetUp() override {
    sandbox_test::SetUp();
    if (!ready_) return;
    const std::string made = host_shell(
        "ip netns add bt-outside && ip link add bt-host type veth peer name eth0 netns bt-outside && "
        "ip addr add 198.51.100.1/24 dev bt-host && ip link set bt-host up && ip -n bt-outside link set lo up && "
        "ip -n bt-outside addr add 198.51.100.2/24 dev eth0 && ip -n bt-outside addr add 169.254.169.254/32 dev eth0 && "
        "ip -n bt-outside link set eth0 up && ip route add 169.254.169.254/32 dev bt-host && "
        "ip -n bt-outside route add default via 198.51.100.1 && echo ok");
    ASSERT_EQ(made, "ok");
    scratch_ = where_.root + "-peer";
    host_shell("mkdir " + scratch_);
  }
  void TearDown() override {
    for (const pid_t pid : peers_) ::kill(-pid, SIGKILL);
    host_shell("ip link del bt-host 2>/dev/null; ip netns del bt-outside 2>/dev/null; rm -rf " + scratch_);
    sandbox_test::TearDown();
  }

  /// A Python program in a namespace ("" is the host), in a session of its own; waits for its first line, "ready".
  void serve(const std::string& netns, const std::string& name, const std::string& program) {
    { std::ofstream(scratch_ + "/" + name + ".py") << "import socket, sys, struct\n" << program; }
    const std::string prefix = netns.empty() ? "" : "ip netns exec " + netns + " ";
    const std::string pid = host_shell("setsid " + prefix + "python3 -u " + scratch_ + "/" + name + ".py > " +
                                       scratch_ + "/" + name + ".out 2>&1 < /dev/null & echo $!");
    peers_.push_back(std::stoi(pid));
    for (int i = 0; i < 600 && said(name).rfind("ready", 0) != 0; ++i) loop_.run_for(std::chrono::milliseconds(20));
    ASSERT_EQ(said(name).substr(0, 5), "ready") << said(name);
  }
  std::string said(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(scratch_ + "/" + name + ".out").rdbuf();
    return text.str();
  }
  /// Tells each caller the address that it has come from.
  static std::string echo_server(const std::string& address, int port) {
    return "s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(('" + address + "', " +
           std::to_string(port) +
           ")); s.listen(9); print('ready')\nwhile True:\n  c, a = s.accept()\n"
           "  c.sendall(a[0].encode()); c.close()\n";
  }
  std::string ask(berth::sandbox& box, const std::string& address, int port) {
    return shell(box,
                 "busybox nc -w 3 " + address + " " + std::to_string(port) + " < /dev/null 2>/dev/null || echo none");
  }
  static std::string ask_from(const std::string& netns, const std::string& address, int port) {
    const std::string prefix = netns.empty() ? "" : "ip netns exec " + netns + " ";
    return host_shell(prefix + "python3 -c \"import socket; s=socket.create_connection(('" + address + "'," +
                      std::to_string(port) + "),3); print(s.recv(99).decode().strip())\" 2>/dev/null || echo none");
  }
  /// Starts a listener inside that greets each caller.
  std::unique_ptr<berth::running_command> listen_inside(berth::sandbox& box, int port) {
    berth::command what;
    what.argv = {"sh", "-c", "while :; do echo greetings | busybox nc -l -p " + std::to_string(port) + " -w 5; done"};
    auto running = loop_.run(box.start(what, {}));
    EXPECT_TRUE(running);
    const std::string address = box.record().net->address();
    for (int i = 0; i < 200 && ask_from("", address, port) != "greetings"; ++i)
      loop_.run_for(std::chrono::milliseconds(50));
    return running ? std::move(*running) : nullptr;
  }

  std::string scratch_;
  std::vector<pid_t> peers_;
};

}  // namespace berth_test
