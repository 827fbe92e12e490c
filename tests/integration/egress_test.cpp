// SPDX-License-Identifier: Apache-2.0
// Egress on the real thing: what a sandbox reaches under each policy, and while the policy changes. Most of it is the host's
// rules alone, and is tried in a namespace without runsc; what hangs on gVisor's own network runs in one.
#include "support/network_fixture.hpp"

#include <berth/network/egress.hpp>

#include <algorithm>

namespace {

using namespace berth;

/// The network of a sandbox, without the sandbox.
class EgressRules : public berth_test::network_test {
 protected:
  void SetUp() override {
    network_test::SetUp();
    if (!ready_ || HasFatalFailure()) return;
    const auto pool = parse_ipv4_subnet("10.213.11.0/24");
    auto plan = plan_network("zzzzzegressrl", *pool, {}, {outside});
    ASSERT_TRUE(plan) << plan.error().to_string();
    plan_ = *plan;
    const auto made = loop_.run(create_network(plan_, {}));
    ASSERT_TRUE(made) << made.error().to_string();
    host_shell("ip -n bt-outside addr add 198.51.100.3/24 dev eth0");
    serve("bt-outside", "peer", talker({{"tcp", 7000}, {"tcp", 7001}, {"udp", 7000}, {"udp", 53}}));
    serve("", "host", talker({{"tcp", 7000}}));
    serve(plan_.names.netns, "inside", talker({{"tcp", 7000}, {"udp", 7000}}));
  }
  void TearDown() override {
    const auto gone = loop_.run(remove_network(plan_.names));
    EXPECT_TRUE(gone) << gone.error().to_string();
    network_test::TearDown();
  }

  /// Sends back what comes, at each of the ports.
  static std::string talker(const std::vector<std::pair<const char*, int>>& ports) {
    std::string text =
        "import threading\n"
        "def talk(c):\n  try:\n    while d := c.recv(99): c.sendall(d)\n  except OSError as e: print('cut')\n"
        "def tcp(port):\n  l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "  l.bind(('0.0.0.0', port)); l.listen(9); return l\n"
        "def accept(l):\n  while True: threading.Thread(target=talk, args=(l.accept()[0],)).start()\n"
        "def udp(port):\n  u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('0.0.0.0', port)); return u\n"
        "def answer(u):\n  while True: u.sendto(*u.recvfrom(99))\n";
    for (const auto& [kind, port] : ports)
      text += std::string("threading.Thread(target=") + (std::string(kind) == "tcp" ? "accept" : "answer") +
              ", args=(" + kind + "(" + std::to_string(port) + "),)).start()\n";
    return text + "print('ready')\n";
  }
  /// "answered", "refused" (TCP's or ICMP's answer) or "silent".
  static std::string call(const std::string& netns, const std::string& kind, const std::string& address, int port) {
    const std::string open =
        kind == "tcp" ? "s = socket.create_connection(a, 3)"
                      : "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.connect(a)";
    return host_shell((netns.empty() ? "" : "ip netns exec " + netns + " ") + "python3 -c \"\nimport socket\na = ('" +
                      address + "', " + std::to_string(port) + ")\ntry:\n  " + open +
                      "\n  s.sendall(b'hi'); s.recv(9); print('answered')\nexcept TimeoutError: print('silent')\n"
                      "except OSError as e: print('refused')\"");
  }
  std::string from_inside(const std::string& kind, const std::string& address, int port) {
    return call(plan_.names.netns, kind, address, port);
  }
  void change(const std::vector<std::string>& words) {
    const egress_policy policy = rules(words);
    const auto done = loop_.run(change_egress(plan_.names, policy, plan_.egress));
    ASSERT_TRUE(done) << done.error().to_string();
    plan_.egress = policy;
  }
  std::uint64_t refused() {
    const auto count = loop_.run(count_refused_egress(plan_.names));
    EXPECT_TRUE(count) << count.error().to_string();
    return count ? *count : 0;
  }

  network_plan plan_;
};

struct reached {
  std::vector<std::string> words;
  const char* answered;  // of the calls below, by their letters; the others are refused at once
};

TEST_F(EgressRules, EachPolicyLetsThroughWhatItNames) {
  const std::string other = "198.51.100.3";
  struct to {
    char letter;
    const char* kind;
    std::string address;
    int port;
  };
  const to calls[] = {{'a', "tcp", outside, 7000},        {'b', "tcp", outside, 7001}, {'c', "udp", outside, 7000},
                      {'d', "udp", outside, 53},          {'e', "tcp", other, 7000},   {'h', "tcp", host, 7000},
                      {'g', "tcp", plan_.gateway(), 7000}};
  const reached all[] = {
      {{"none"}, ""},
      {{"198.51.100.2:7000"}, "a"},
      {{"198.51.100.2:7000-7001/tcp"}, "ab"},
      {{"198.51.100.2:7000/udp"}, "c"},
      {{"198.51.100.2/udp"}, "cd"},
      {{"198.51.100.2/tcp", "198.51.100.3"}, "abe"},
      {{"dns"}, "d"},
      {{"dns", "198.51.100.3:7000"}, "de"},
      {{"198.51.100.0/24"}, "abcde"},
      {{"198.51.100.0/31"}, ""},
      {{"192.0.2.0/24", "0.0.0.0/0:7001"}, "b"},
  };
  for (const reached& policy : all) {
    ASSERT_NO_FATAL_FAILURE(change(policy.words));
    std::string name;
    for (const std::string& word : policy.words) name += word + " ";
    SCOPED_TRACE(name);
    const std::uint64_t before = refused();
    for (const to& c : calls) {
      const bool lets = std::string(policy.answered).find(c.letter) != std::string::npos;
      const std::string came = from_inside(c.kind, c.address, c.port);
      // The kernel sends one host no more than an ICMP error a second, after the first few.
      const bool unsaid = !lets && std::string(c.kind) == "udp" && came == "silent";
      EXPECT_EQ(unsaid ? "refused" : came, lets ? "answered" : "refused") << c.letter;
    }
    EXPECT_GT(refused(), before);
    EXPECT_EQ(call("", "tcp", plan_.address(), 7000), "answered");
    EXPECT_EQ(call("", "udp", plan_.address(), 7000), "answered");
  }
  change({"all"});
  const std::uint64_t before = refused();
  for (const to& c : calls) {
    const bool hosts = c.letter == 'h' || c.letter == 'g';
    EXPECT_EQ(from_inside(c.kind, c.address, c.port), hosts ? "silent" : "answered") << c.letter;
  }
  EXPECT_EQ(refused(), before);
}

TEST_F(EgressRules, WhatIsRefusedIsListed) {
  const auto listed = [this] {
    const auto report = loop_.run(report_egress(plan_.names, {}));
    EXPECT_TRUE(report) << report.error().to_string();
    std::vector<std::string> out;
    for (const refused_place& place : report ? report->places : std::vector<refused_place>()) {
      EXPECT_GT(place.packets, 0u);
      EXPECT_LT(place.ago.count(), 60);
      out.push_back(place.to.to_string());
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  using words = std::vector<std::string>;
  EXPECT_EQ(listed(), words{});
  ASSERT_NO_FATAL_FAILURE(change({"198.51.100.2:7000"}));
  EXPECT_EQ(from_inside("tcp", outside, 7000), "answered");
  EXPECT_EQ(from_inside("tcp", outside, 7001), "refused");
  EXPECT_NE(from_inside("udp", "198.51.100.3", 9), "answered");
  host_shell("ip netns exec " + plan_.names.netns + " ping -c 1 -W 1 198.51.100.3 > /dev/null || :");
  const words two = {"198.51.100.2:7001/tcp", "198.51.100.3:9/udp"};
  EXPECT_EQ(listed(), two) << "what is allowed, and what has no ports, is not in it";
  // What is listed is the rule that lets it through.
  ASSERT_NO_FATAL_FAILURE(change({"198.51.100.2:7000", two[0]}));
  EXPECT_EQ(from_inside("tcp", outside, 7001), "answered");
  // One that knocks everywhere fills the list, and is refused and counted as before.
  const std::uint64_t before = refused();
  host_shell("ip netns exec " + plan_.names.netns +
             " python3 -c \"\nimport socket\n"
             "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor p in range(20000, 23000):\n"
             "  try: u.sendto(b'x', ('198.51.100.3', p))\n  except OSError: pass\n\"");
  EXPECT_GE(refused(), before + 2900);
  EXPECT_EQ(listed().size(), most_refused_places);
  EXPECT_EQ(from_inside("tcp", "198.51.100.3", 7000), "refused");
  EXPECT_EQ(from_inside("tcp", outside, 7000), "answered");
}

// Each end of a flow that was open tells what becomes of it; one that the host began goes on.
TEST_F(EgressRules, WhatIsOpenIsCutByAChange) {
  const std::string flow =
      "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.connect(('198.51.100.2', 7000)); u.settimeout(3)\n"
      "c = socket.create_connection(('198.51.100.2', 7000), 3)\n"
      "for s in (c, u): s.sendall(b'x'); s.recv(9)\n"
      "print('ready'); import time, os\n"
      "while not os.path.exists('" +
      scratch_ +
      "/go'): time.sleep(0.02)\n"
      "for n, s in (('tcp', c), ('udp', u)):\n"
      "  try: s.sendall(b'x'); s.recv(9); print(n, 'goes on')\n"
      "  except OSError as e: print(n, 'cut' if not isinstance(e, TimeoutError) else 'silent')\n";
  serve(plan_.names.netns, "open", flow);
  std::string to_inside = flow;
  for (std::size_t at; (at = to_inside.find("198.51.100.2")) != std::string::npos;)
    to_inside.replace(at, 12, plan_.address());
  serve("", "inbound", to_inside);
  change({"198.51.100.3", "dns"});
  host_shell("touch " + scratch_ + "/go");
  for (const char* name : {"open", "inbound"})
    for (int i = 0; i < 300 && said(name).find("udp") == std::string::npos; ++i) loop_.run_for(milliseconds(20));
  EXPECT_EQ(said("open"), "ready\ntcp cut\nudp cut\n");
  EXPECT_EQ(said("inbound"), "ready\ntcp goes on\nudp goes on\n");
}

// What comes of a flow that is not allowed any more is stopped as well, and its other end hears of it.
TEST_F(EgressRules, ASilentListenerGetsNothingMore) {
  serve("bt-outside", "pusher",
        "import time\nl = socket.socket(); l.bind(('0.0.0.0', 7009)); l.listen(9); print('ready'); c, a = l.accept()\n"
        "try:\n  while True: c.sendall(b'x'); time.sleep(0.05)\nexcept OSError: print('cut')\n");
  serve(plan_.names.netns, "listener",
        "c = socket.create_connection(('198.51.100.2', 7009), 3); c.recv(1); print('ready')\n"
        "try:\n  while c.recv(99): pass\nexcept OSError: pass\nprint('over')\n");
  change({"none"});
  for (int i = 0; i < 300 && said("pusher").find("cut") == std::string::npos; ++i) loop_.run_for(milliseconds(20));
  EXPECT_EQ(said("pusher"), "ready\ncut\n");
}

// Connection tracking calls it invalid, and so knows no direction of it.
TEST_F(EgressRules, APacketThatNoFlowIsMadeOfDoesNotSlipThrough) {
  serve("bt-outside", "sniffer",
        "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6); print('ready')\n"
        "while True:\n  d, a = s.recvfrom(999); port = struct.unpack('!H', d[22:24])[0]\n"
        "  if port > 7100: print(port)\n");
  const auto send = [&](int port) {
    return host_shell("ip netns exec " + plan_.names.netns +
                      " python3 -c \"\nimport socket, struct\ns = socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)\n"
                      "s.sendto(struct.pack('!HHIIBBHHH', 7000, " +
                      std::to_string(port) + ", 1, 1, 0x50, 3, 512, 1, 0), ('198.51.100.2', 0))\nprint('sent')\"");
  };
  change({"none"});
  EXPECT_EQ(send(7101), "sent");
  change({"198.51.100.2:7102"});
  EXPECT_EQ(send(7103), "sent");
  EXPECT_EQ(send(7102), "sent");
  for (int i = 0; i < 300 && said("sniffer").find("7102") == std::string::npos; ++i) loop_.run_for(milliseconds(20));
  EXPECT_EQ(said("sniffer"), "ready\n7102\n");
}

class SandboxEgress : public berth_test::network_test {
 protected:
  /// What bash says of a connection: "open", or why not.
  std::string knock(sandbox& box, const std::string& address, int port) {
    return shell(box, "timeout 5 bash -c 'exec 3<>/dev/tcp/" + address + "/" + std::to_string(port) +
                          " && echo open' 2>&1 | grep -o 'open\\|refused\\|No route\\|unreachable' | head -1");
  }
  void set(sandbox& box, const std::vector<std::string>& words) {
    const auto done = loop_.run(box.set_egress(rules(words)));
    ASSERT_TRUE(done) << done.error().to_string();
  }
};

TEST_F(SandboxEgress, IsRefusedAtOnceAndChangedWhileItRuns) {
  serve("bt-outside", "tcp", echo_server("0.0.0.0", 7000));
  sandbox_config what = config(network_mode::sandbox);
  what.egress = egress_policy::none();
  auto box = create(what);
  auto other = create(config(network_mode::sandbox));
  auto theirs = listen_inside(*other, 8080);
  auto mine = listen_inside(*box, 8080);
  EXPECT_EQ(knock(*box, outside, 7000), "refused");
  EXPECT_EQ(knock(*box, box->record().net->gateway(), 7000), "refused");
  // By either sandbox's rules: those of the one that is asked drop, and may come first.
  EXPECT_NE(knock(*box, other->record().net->address(), 8080), "open");
  EXPECT_EQ(ask_from("", box->record().net->address(), 8080), "greetings");
  EXPECT_EQ(knock(*other, outside, 7000), "open");  // a policy is one sandbox's
  auto now = loop_.run(box->egress());
  ASSERT_TRUE(now) << now.error().to_string();
  EXPECT_EQ(now->policy, egress_policy::none());
  EXPECT_GE(now->refused, 2u);

  // By another handle, and while nothing runs inside.
  auto attached = sandbox::attach(where_, box->id());
  ASSERT_TRUE(attached);
  EXPECT_TRUE(loop_.run(box->pause()));
  ASSERT_NO_FATAL_FAILURE(set(**attached, {"198.51.100.0/24:7000"}));
  EXPECT_TRUE(loop_.run(box->resume()));
  EXPECT_EQ(knock(*box, outside, 7000), "open");
  now = loop_.run(box->egress());
  ASSERT_TRUE(now) << now.error().to_string();
  EXPECT_EQ(now->policy.words(), std::vector<std::string>{"198.51.100.0/24:7000/tcp"});
  const auto kept = read_record(box->record().directory);
  ASSERT_TRUE(kept && kept->net);
  EXPECT_EQ(kept->net->egress, now->policy);

  // A change that is refused changes nothing.
  egress_policy unreachable = egress_policy::none();
  unreachable.allowed.push_back({*parse_ipv4_subnet("169.254.169.254/32")});
  EXPECT_FALSE(loop_.run(box->set_egress(unreachable)));
  EXPECT_EQ(knock(*box, outside, 7000), "open");
  mine.reset();
  theirs.reset();
  terminate(*other);
  terminate(*box);
  const auto gone = loop_.run(box->set_egress(egress_policy::none()));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, errc::not_found) << gone.error().to_string();
}

TEST_F(SandboxEgress, SaysWhereItCannotBeEnforced) {
  auto box = create(config(network_mode::none));
  const auto none = loop_.run(box->set_egress(egress_policy::none()));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::unsupported);
  EXPECT_NE(none.error().message.find("has no network"), std::string::npos) << none.error().to_string();
  terminate(*box);

  box = create(config(network_mode::sandbox));
  const std::string table = box->record().names().table;
  host_shell("nft delete table inet " + table);
  const auto flushed = loop_.run(box->egress());
  ASSERT_FALSE(flushed);
  EXPECT_NE(flushed.error().message.find("rules of the sandbox are gone"), std::string::npos)
      << flushed.error().to_string();
  const auto change = loop_.run(box->set_egress(egress_policy::none()));
  ASSERT_FALSE(change);
  EXPECT_NE(change.error().message.find("rules of the sandbox are gone"), std::string::npos)
      << change.error().to_string();
  EXPECT_EQ(loop_.run(box->egress()).error().code, errc::network_failed);
  terminate(*box);
}

}  // namespace
