// SPDX-License-Identifier: Apache-2.0
// Egress rules with names on the real thing: most of it is the host's rules and the process that answers, and is tried in a
// namespace without runsc, by a record that stands for a sandbox.
#include "support/name_fixture.hpp"

#include <berth/network/egress.hpp>
#include <berth/sandbox/detail/root_marker.hpp>
#include <berth/sandbox/name_service.hpp>

#include <filesystem>

namespace {

using namespace berth;

class EgressNames : public berth_test::name_test {
 protected:
  void SetUp() override {
    name_test::SetUp();
    if (!ready_ || HasFatalFailure()) return;
    const auto prefix = detail::make_root_prefix(where_.root);
    ASSERT_TRUE(prefix);
    const auto pool = parse_ipv4_subnet("10.213.12.0/24");
    auto plan = plan_network(*prefix + "names234", *pool, {}, {outside});
    ASSERT_TRUE(plan) << plan.error().to_string();
    plan_ = *plan;
    record_.id = "box";
    record_.directory = where_.root + "/box";
    record_.token = *prefix + "names234";
    record_.phase = record_phase::running;
    record_.boot_id = read_boot_id();
    record_.sandbox_process = process_identity::of(::getpid());
    record_.rootfs = "/";
    record_.net = record_network{plan_.subnet, plan_.mtu, 100, egress_policy::all(), {}, {outside}};
    std::filesystem::create_directory(record_.directory);
    ASSERT_TRUE(write_record(record_));
    const auto made = loop_.run(create_network(plan_, {}));
    ASSERT_TRUE(made) << made.error().to_string();
    host_shell("ip -n bt-outside addr add 198.51.100.3/24 dev eth0");
    serve("bt-outside", "peer",
          "import threading\n"
          "def talk(c):\n  try:\n    while d := c.recv(99): c.sendall(d)\n  except OSError: pass\n"
          "def listen(p):\n  l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
          "  l.bind(('0.0.0.0', p)); l.listen(9)\n"
          "  def go():\n    while True: threading.Thread(target=talk, args=(l.accept()[0],)).start()\n"
          "  threading.Thread(target=go).start()\n"
          "listen(7000); listen(7001); print('ready')\n");
  }
  void TearDown() override {
    std::filesystem::remove_all(record_.directory);
    const auto gone = loop_.run(remove_network(plan_.names));
    EXPECT_TRUE(gone) << gone.error().to_string();
    for (int i = 0; i < 500 && !answering(where_.root).empty(); ++i) loop_.run_for(milliseconds(20));
    EXPECT_EQ(answering(where_.root), "") << "without a sandbox it ends";
    EXPECT_FALSE(std::filesystem::exists(where_.root + "/" + names_socket));
    name_test::TearDown();
  }

  /// The program that answers for the sandboxes of a root.
  static std::string answering(const std::string& root) {
    return host_shell(  // in two words: it is not to find itself
        "for p in /proc/[0-9]*; do case \"$(tr '\\0' ' ' 2>/dev/null < $p/cmdline)\" in *'berth-init nam''es " + root +
        " '*) basename $p;; esac; done");
  }
  /// As set_egress does it.
  void change(const std::vector<std::string>& words) {
    const egress_policy policy = rules(words);
    const auto done = loop_.run(change_egress(plan_.names, policy, *record_.net->egress));
    ASSERT_TRUE(done) << done.error().to_string() << done.error().detail;
    record_.net->egress = policy;
    ASSERT_TRUE(write_record(record_));
    if (policy.named.empty()) return;
    const auto answers = ensure_names(where_.root, where_.init, record_.token);
    ASSERT_TRUE(answers) << answers.error().to_string();
  }
  std::string resolve(const std::string& name, int type = 1, const std::string& way = "udp") {
    return name_test::resolve(plan_.names.netns, name, type, way);
  }
  /// "open", "refused" or "silent".
  std::string knock(const std::string& address, int port = 7000) {
    return host_shell("ip netns exec " + plan_.names.netns +
                      " python3 -c \"\nimport socket\ntry: socket.create_connection(('" + address + "', " +
                      std::to_string(port) +
                      "), 3); print('open')\nexcept TimeoutError: print('silent')\nexcept OSError: print('refused')\"");
  }
  egress_report report() {
    auto now = loop_.run(report_egress(plan_.names, record_.net->egress->named));
    EXPECT_TRUE(now) << now.error().to_string();
    return now ? *now : egress_report();
  }

  network_plan plan_;
  sandbox_record record_;
};

TEST_F(EgressNames, ANameOpensTheAddressesThatItHas) {
  zone(
      "www.example.com CNAME 60 cdn.example.net\ncdn.example.net A 30 198.51.100.2\nexample.com A 60 198.51.100.3\n"
      "example.com TXT 60 hello\nother.example A 60 198.51.100.3\nempty.example.com TXT 60 x\n");
  ASSERT_NO_FATAL_FAILURE(change({"*.example.com:7000"}));
  EXPECT_EQ(knock(outside), "refused") << "what was not asked for is not open";
  EXPECT_EQ(resolve("www.example.com"), "0 198.51.100.2");
  EXPECT_EQ(knock(outside), "open");
  EXPECT_EQ(knock(outside, 7001), "refused") << "by another port";
  // What is in no rule is not so much as asked.
  const std::string asked = said("names");
  EXPECT_EQ(resolve("other.example"), "3");
  EXPECT_EQ(resolve("example.com"), "3") << "which is not below itself";
  EXPECT_EQ(resolve("example.com", 1, "tcp"), "3");
  EXPECT_EQ(said("names"), asked);
  EXPECT_EQ(knock("198.51.100.3"), "refused");
  EXPECT_EQ(resolve("www.example.com", 28), "0") << "no IPv6";
  EXPECT_EQ(resolve("www.example.com", 65), "0");
  EXPECT_EQ(said("names"), asked);
  EXPECT_EQ(resolve("www.example.com", 255), "4") << "of all types at once";
  EXPECT_EQ(resolve("gone.example.com"), "3");
  EXPECT_EQ(resolve("empty.example.com"), "0");
  EXPECT_EQ(resolve("empty.example.com", 16), "0 x");
  EXPECT_EQ(resolve("www.example.com", 1, "tcp"), "0 198.51.100.2");

  const egress_report now = report();
  ASSERT_EQ(now.addresses.size(), 1u);
  EXPECT_EQ(now.addresses[0].name, "www.example.com");
  EXPECT_EQ(now.addresses[0].address, "198.51.100.2");
  EXPECT_EQ(now.addresses[0].rule, "*.example.com:7000/tcp");
  EXPECT_GT(now.addresses[0].left.count(), 200);  // longer than the 30 s that it has
  const auto names = list_refused_names(where_.root, record_.token);
  ASSERT_EQ(names.size(), 2u);
  EXPECT_EQ(names[0].name + " " + names[1].name, "example.com other.example");
  EXPECT_EQ(names[0].questions, 2u);

  // Another policy, by the same process.
  const std::string pid = answering(where_.root);
  EXPECT_NE(pid, "");
  ASSERT_NO_FATAL_FAILURE(change({"example.com", "dns"}));
  EXPECT_EQ(answering(where_.root), pid);
  EXPECT_EQ(knock(outside), "refused");
  EXPECT_EQ(resolve("example.com"), "0 198.51.100.3");
  EXPECT_EQ(knock("198.51.100.3"), "open");
  EXPECT_EQ(knock("198.51.100.3", 7001), "open");
  EXPECT_EQ(resolve("www.example.com"), "0 198.51.100.2") << "with dns all names are answered";
  EXPECT_EQ(knock(outside), "refused") << "and opened are those of the rules";
}

TEST_F(EgressNames, WhatNoRuleMayReachIsNotReachedByAName) {
  serve("", "host",
        "l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\nl.bind(('0.0.0.0', 7005)); "
        "l.listen(9); print('ready')\nwhile True: l.accept()\n");
  serve("bt-outside", "metadata",
        "l = socket.socket(); l.bind(('169.254.169.254', 7005)); l.listen(9); print('ready')\n"
        "while True: l.accept()\n");
  zone("a.rebind.example A 0 198.51.100.1\nb.rebind.example A 0 " + plan_.gateway() +
       "\nc.rebind.example A 0 169.254.169.254\nd.rebind.example A 0 127.0.0.1\n");
  ASSERT_NO_FATAL_FAILURE(change({"*.rebind.example"}));
  EXPECT_EQ(resolve("a.rebind.example"), "0 198.51.100.1");
  EXPECT_EQ(resolve("b.rebind.example"), "0 " + plan_.gateway());
  EXPECT_EQ(resolve("c.rebind.example"), "0 169.254.169.254");
  EXPECT_EQ(resolve("d.rebind.example"), "0 127.0.0.1");
  for (const std::string& address : {std::string("198.51.100.1"), plan_.gateway(), std::string("169.254.169.254")})
    EXPECT_NE(knock(address, 7005), "open") << address;
  EXPECT_EQ(report().addresses.size(), 2u);  // of which the host's own rules let nothing through
}

// The answer is as long as it likes, over TCP.
TEST_F(EgressNames, AnAnswerThatDoesNotFitIsCutAndAskedForAgain) {
  std::string many;
  for (int i = 1; i <= 60; ++i) many += "many.example.com A 60 192.0.2." + std::to_string(i) + "\n";
  zone(many);
  ASSERT_NO_FATAL_FAILURE(change({"many.example.com"}));
  EXPECT_EQ(resolve("many.example.com"), "cut");
  const std::string all = resolve("many.example.com", 1, "tcp");
  EXPECT_EQ(std::count(all.begin(), all.end(), ' '), 60) << all;
  EXPECT_EQ(report().addresses.size(), 60u);
}

TEST_F(EgressNames, WhatIsOpenGoesOnWhenTheNameHasAnotherAddress) {
  zone("moves.example.com A 1 198.51.100.2\n");
  ASSERT_NO_FATAL_FAILURE(change({"moves.example.com:7000"}));
  EXPECT_EQ(resolve("moves.example.com"), "0 198.51.100.2");
  serve(plan_.names.netns, "open",
        "import time, os\nc = socket.create_connection(('198.51.100.2', 7000), 3); c.settimeout(3)\nprint('ready')\n"
        "for step in ('first', 'second', 'third'):\n"
        "  while not os.path.exists('" +
            scratch_ +
            "/' + step): time.sleep(0.02)\n"
            "  try: c.sendall(b'x'); c.recv(9); print(step, 'goes on')\n"
            "  except OSError as e: print(step, 'silent' if isinstance(e, TimeoutError) else 'cut')\n");
  const auto step = [this](const std::string& name) {
    host_shell("touch " + scratch_ + "/" + name);
    for (int i = 0; i < 300 && said("open").find(name) == std::string::npos; ++i) loop_.run_for(milliseconds(20));
  };
  // As when its time is over.
  const std::string fresh = record_.net->egress->named[0].fresh_set();
  EXPECT_EQ(host_shell("nft flush set inet " + plan_.names.table + " " + fresh), "");
  EXPECT_EQ(knock(outside), "refused") << "nothing new";
  step("first");
  ASSERT_NO_FATAL_FAILURE(change({"192.0.2.0/24", "moves.example.com:7000"}));
  step("second");
  ASSERT_NO_FATAL_FAILURE(change({"192.0.2.0/24", "other.example.com:7000"}));
  step("third");
  EXPECT_EQ(said("open"), "ready\nfirst goes on\nsecond goes on\nthird cut\n");
}

TEST_F(EgressNames, ItsDeathIsMadeGood) {
  zone("www.example.com A 60 198.51.100.2\n");
  ASSERT_NO_FATAL_FAILURE(change({"www.example.com"}));
  EXPECT_EQ(resolve("www.example.com"), "0 198.51.100.2");
  const std::string pid = answering(where_.root);
  ::kill(std::stoi(pid), SIGKILL);
  for (int i = 0; i < 500 && answering(where_.root) == pid; ++i) loop_.run_for(milliseconds(20));
  EXPECT_EQ(resolve("www.example.com"), "refused");
  EXPECT_EQ(knock(outside), "open") << "what is open stays so";
  ASSERT_TRUE(list_sandboxes(where_));
  EXPECT_NE(answering(where_.root), pid);
  EXPECT_EQ(resolve("www.example.com"), "0 198.51.100.2");
  // Whoever comes second finds that there is one.
  ASSERT_TRUE(ensure_names(where_.root, where_.init, record_.token));
  const auto none = ensure_names(where_.root, where_.init, "nosuchtokenxx");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, errc::network_failed);
}

TEST_F(EgressNames, WithoutAnAnswerFromOutsideNothingIsOpened) {
  ASSERT_NO_FATAL_FAILURE(change({"www.example.com"}));
  record_.net->nameservers = {"198.51.100.3:1", "198.51.100.77"};
  ASSERT_TRUE(write_record(record_));
  ASSERT_TRUE(ensure_names(where_.root, where_.init, record_.token));
  EXPECT_EQ(resolve("www.example.com"), "2");
  EXPECT_TRUE(report().addresses.empty());
}

class SandboxEgressNames : public berth_test::name_test {
 protected:
  /// What bash says of a connection: "open", or why not.
  std::string knock(sandbox& box, const std::string& name, int port) {
    return shell(box, "timeout 9 bash -c 'exec 3<>/dev/tcp/" + name + "/" + std::to_string(port) +
                          " && echo open' 2>&1 | grep -o 'open\\|refused\\|not known' | head -1");
  }
};

TEST_F(SandboxEgressNames, HoldFromTheBeginningAndAreChangedWhileItRuns) {
  serve("bt-outside", "tcp", echo_server("0.0.0.0", 7000));
  zone("www.example.com A 60 198.51.100.2\n");
  sandbox_config what = config(network_mode::sandbox);
  what.egress = rules({"*.example.com:7000"});
  auto box = create(what);
  EXPECT_EQ(knock(*box, "www.example.net", 7000), "not known");
  auto now = loop_.run(box->egress());
  ASSERT_TRUE(now) << now.error().to_string();
  ASSERT_EQ(now->refused_names.size(), 1u);
  EXPECT_EQ(now->refused_names[0].name, "www.example.net");
  EXPECT_TRUE(now->addresses.empty());

  // The host's own name servers are none of the test's.
  ASSERT_TRUE(loop_.run(box->set_egress(egress_policy::none())));
  auto record = read_record(box->record().directory);
  ASSERT_TRUE(record);
  record->net->nameservers = {outside};
  ASSERT_TRUE(write_record(*record));
  ASSERT_TRUE(loop_.run(box->set_egress(rules({"*.example.com:7000"}))));
  EXPECT_EQ(knock(*box, "www.example.com", 7000), "open");
  EXPECT_EQ(knock(*box, "198.51.100.2", 7001), "refused");
  now = loop_.run(box->egress());
  ASSERT_TRUE(now) << now.error().to_string();
  ASSERT_EQ(now->addresses.size(), 1u);
  EXPECT_EQ(now->addresses[0].name, "www.example.com");
  ASSERT_TRUE(loop_.run(box->set_egress(egress_policy::none())));
  EXPECT_EQ(knock(*box, "198.51.100.2", 7000), "refused");
  terminate(*box);
}

}  // namespace
