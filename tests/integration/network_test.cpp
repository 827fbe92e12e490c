// SPDX-License-Identifier: Apache-2.0
// The three network modes on the real thing.
#include "support/network_fixture.hpp"

#include <berth/process/cancellation.hpp>
#include <berth/spec/capabilities.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <unistd.h>

namespace {

using namespace berth;

using SandboxNetwork = berth_test::network_test;

TEST_F(SandboxNetwork, HasOneAddressAndADefaultRoute) {
  auto box = create(config(network_mode::sandbox));
  ASSERT_TRUE(box->record().net);
  const record_network& net = *box->record().net;
  EXPECT_EQ(shell(*box, "ip -4 -o addr show dev eth0 | tr -s ' ' | cut -d' ' -f4"), net.address() + "/30");
  EXPECT_EQ(shell(*box, "ip route show default | cut -d' ' -f1-5"), "default via " + net.gateway() + " dev eth0");
  EXPECT_EQ(
      shell(*box,
            "cat /sys/class/net/eth0/mtu 2>/dev/null || ip -o link show eth0 | sed 's/.*mtu \\([0-9]*\\).*/\\1/'"),
      std::to_string(net.mtu));
  EXPECT_EQ(shell(*box, "cat /etc/hostname; getent hosts $(hostname) | cut -d' ' -f1"),
            box->id() + "\n" + net.address());
  EXPECT_EQ(shell(*box, "cat /etc/resolv.conf"), host_shell("cat " + box->record().bundle() + "/resolv.conf"));
  terminate(*box);
}

TEST_F(SandboxNetwork, GoesOutUnderTheHostsAddress) {
  serve("bt-outside", "tcp", echo_server("0.0.0.0", 7000));
  // A name server: one answer for every question.
  serve(
      "bt-outside", "dns",
      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 53)); print('ready')\n"
      "while True:\n  q, a = s.recvfrom(512); end = q.index(b'\\0', 12) + 5; kind = q[end-4:end-2]\n"
      "  r = b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + socket.inet_aton('203.0.113.7') if kind == b'\\0\\1' else b''\n"
      "  s.sendto(q[:2] + b'\\x81\\x80\\0\\1' + (b'\\0\\1' if r else b'\\0\\0') + b'\\0\\0\\0\\0' + q[12:end] + r, a)\n");
  auto box = create(config(network_mode::sandbox));
  EXPECT_EQ(ask(*box, outside, 7000), host);
  EXPECT_NE(shell(*box, "busybox nslookup some.name.example " + std::string(outside)).find("203.0.113.7"),
            std::string::npos);
  terminate(*box);
}

TEST_F(SandboxNetwork, DoesNotReachTheHostNorItsCloud) {
  serve("", "host", echo_server("0.0.0.0", 7001));
  serve("bt-outside", "metadata", echo_server("169.254.169.254", 7002));
  auto box = create(config(network_mode::sandbox));
  ASSERT_NE(ask_from("", host, 7001), "none");
  ASSERT_NE(ask_from("", "169.254.169.254", 7002), "none");
  EXPECT_EQ(ask(*box, box->record().net->gateway(), 7001), "none");
  EXPECT_EQ(ask(*box, host, 7001), "none");
  EXPECT_EQ(ask(*box, "169.254.169.254", 7002), "none");
  terminate(*box);
}

TEST_F(SandboxNetwork, ReachesThePortsOfTheHostThatItWasAllowedAndNoOthers) {
  serve("", "one", echo_server("0.0.0.0", 7003));
  serve("", "another", echo_server("0.0.0.0", 7004));
  serve("bt-outside", "outside", echo_server("0.0.0.0", 7003));
  sandbox_config what = config(network_mode::sandbox);
  what.host_ports = *parse_host_ports({"7003", std::string(host) + ":7004"});
  what.egress = *parse_egress({"none"});
  auto box = create(what);
  auto other = create(config(network_mode::sandbox));
  const record_network& net = *box->record().net;
  const auto only_these = [&](sandbox& of) {
    const std::string gateway = of.record().net->gateway();
    EXPECT_EQ(ask(of, gateway, 7003), of.record().net->address());
    EXPECT_EQ(ask(of, host, 7004), of.record().net->address());
    EXPECT_EQ(ask(of, gateway, 7004), "none") << "an address is one";
    EXPECT_EQ(ask(of, host, 7003), "none");
    EXPECT_EQ(ask(of, other->record().net->gateway(), 7003), "none") << "the gateway is its own";
    EXPECT_EQ(ask(of, outside, 7003), "none") << "the egress policy holds for all else";
    EXPECT_NE(shell(of, "busybox ping -c 1 -W 1 " + gateway + " >/dev/null 2>&1 && echo answers"), "answers");
  };
  only_these(*box);
  EXPECT_EQ(ask(*other, other->record().net->gateway(), 7003), "none");
  EXPECT_EQ(ask(*other, host, 7004), "none");
  // A change of the policy is none of these.
  ASSERT_TRUE(loop_.run(box->set_egress(*parse_egress({"192.0.2.0/24"}))));
  only_these(*box);
  const auto read = read_record(box->record().directory);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->net->host_ports, net.host_ports);

  what.id.clear();
  what.host_ports = *parse_host_ports({"192.0.2.99:80"});
  const auto absent = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, errc::not_found);
  what.network = network_mode::none;
  what.egress.reset();
  const auto without = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().path, "host_ports");
  terminate(*box);
  terminate(*other);
}

TEST_F(SandboxNetwork, IsReachedFromTheHostAndFromNowhereElse) {
  auto box = create(config(network_mode::sandbox));
  auto other = create(config(network_mode::sandbox));
  auto listener = listen_inside(*box, 8080);
  const std::string address = box->record().net->address();
  EXPECT_EQ(ask_from("", address, 8080), "greetings");
  EXPECT_EQ(ask(*other, address, 8080), "none");
  EXPECT_EQ(ask_from("bt-outside", address, 8080), "none");
  EXPECT_EQ(ask_from("", address, 8080), "greetings");  // it was not the listener's fault
  listener.reset();
  terminate(*box);
  terminate(*other);
}

TEST_F(SandboxNetwork, APublishedPortOfTheHostsLeadsToIt) {
  sandbox_config what = config(network_mode::sandbox);
  what.ports = *parse_published_ports({"18080:8080", "0.0.0.0:18081:8080"});
  auto box = create(what);
  auto other = create(config(network_mode::sandbox));
  auto listener = listen_inside(*box, 8080);
  EXPECT_EQ(ask_from("", "127.0.0.1", 18080), "greetings");
  EXPECT_EQ(ask_from("", "127.0.0.1", 18081), "greetings");
  EXPECT_EQ(ask_from("", host, 18081), "greetings");
  EXPECT_EQ(ask_from("bt-outside", host, 18081), "greetings");
  // One of 127.0.0.1 is for this host alone, and none of them for sandboxes.
  EXPECT_EQ(ask_from("", host, 18080), "none");
  EXPECT_EQ(ask_from("bt-outside", host, 18080), "none");
  EXPECT_EQ(ask(*other, host, 18081), "none");
  EXPECT_EQ(ask(*other, other->record().net->gateway(), 18081), "none");
  EXPECT_EQ(ask(*box, host, 18081), "none");
  EXPECT_EQ(ask_from("", "127.0.0.1", 18080), "greetings");  // it was not the listener's fault

  what.ports = *parse_published_ports({"192.0.2.1:18081:80"});
  const auto taken = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, errc::exists);
  EXPECT_NE(taken.error().message.find(box->id()), std::string::npos) << taken.error().to_string();
  serve("", "busy", echo_server("127.0.0.1", 18082));
  what.ports = *parse_published_ports({"18082:80"});
  const auto busy = loop_.run(sandbox::create(where_, what));
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, errc::exists);
  EXPECT_NE(ask_from("", "127.0.0.1", 18082), "none") << "who had it before has it still";

  listener.reset();
  terminate(*box);
  EXPECT_EQ(ask_from("", "127.0.0.1", 18080), "none");
  terminate(*other);
}

TEST_F(SandboxNetwork, CannotSpeakUnderAFalseAddress) {
  serve("bt-outside", "udp",
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 7003)); print('ready')\n"
        "while True:\n  d, a = s.recvfrom(512); print(a[0], d.decode().strip())\n");
  sandbox_config what = config(network_mode::sandbox);
  what.net_raw = true;
  what.edit_spec = [](spec_builder& spec) {
    constexpr std::string_view more[] = {"NET_ADMIN", "NET_RAW"};
    return spec_capabilities(spec).add(more);
  };
  auto box = create(what);
  const std::string send =
      "perl -MSocket -e 'socket(S,AF_INET,SOCK_DGRAM,0); bind(S,sockaddr_in(0,inet_aton($ARGV[0]))) or die \"bind: $!\"; "
      "send(S,$ARGV[1],0,sockaddr_in(7003,inet_aton($ARGV[2]))) or die \"send: $!\"; print \"sent\"' ";
  // First the true one: where the gateway is, is asked for under the address of the packet that wants to know.
  EXPECT_EQ(shell(*box, send + box->record().net->address() + " first " + outside), "sent");
  for (int i = 0; i < 100 && said("udp").find("first") == std::string::npos; ++i)
    loop_.run_for(std::chrono::milliseconds(50));
  EXPECT_EQ(shell(*box, "ip addr add 203.0.113.9/32 dev eth0 && echo added"), "added");
  EXPECT_EQ(shell(*box, send + "203.0.113.9 false " + outside), "sent");
  EXPECT_EQ(shell(*box, send + box->record().net->address() + " true " + outside), "sent");
  for (int i = 0; i < 100 && said("udp").find("true") == std::string::npos; ++i)
    loop_.run_for(std::chrono::milliseconds(50));
  EXPECT_EQ(said("udp"), std::string("ready\n") + host + " first\n" + host + " true\n");
  terminate(*box);
}

// ARP passes no inet rule: a neighbour of the host's for each address that a sandbox invents would push out those of others.
TEST_F(SandboxNetwork, CannotInventNeighboursNorEthernetAddresses) {
  serve("bt-outside", "tcp", echo_server("0.0.0.0", 7005));
  sandbox_config what = config(network_mode::sandbox);
  what.net_raw = true;
  what.packet_socket_write = true;
  what.edit_spec = [](spec_builder& spec) {
    constexpr std::string_view more[] = {"NET_ADMIN", "NET_RAW"};
    return spec_capabilities(spec).add(more);
  };
  auto box = create(what);
  const record_network& net = *box->record().net;
  EXPECT_EQ(ask(*box, outside, 7005), host);
  const std::string index = shell(*box, "ip -o link show eth0 | cut -d: -f1");
  const std::string frames =
      "perl -MSocket -e 'socket(S,17,3,0) or die \"socket: $!\"; my ($index,$mac,$own,$gateway)=@ARGV; "
      "my $to=pack(\"S n i S C C a8\",17,0x0806,$index,0,0,6,\"\\xff\" x 6); $mac=pack(\"H12\",$mac=~s/://gr); "
      "for (1..100) { my $sender=$own ne \"0\" ? inet_aton($own) : pack(\"C4\",10,9,8,$_); "
      "send(S,\"\\xff\"x6 .$mac.pack(\"n n n C C n\",0x0806,1,0x0800,6,4,1).$mac.$sender.\"\\0\"x6 .inet_aton($gateway),0,$to) "
      "or die \"send: $!\" } print \"sent\"' " +
      index + " ";
  const std::string mac = shell(*box, "ip -o link show eth0 | sed 's/.*link.ether \\([0-9a-f:]*\\).*/\\1/'");
  const std::string neighbours = "ip -4 neigh show dev " + box->record().names().link;
  EXPECT_EQ(shell(*box, frames + mac + " 0 " + net.gateway()), "sent");
  EXPECT_EQ(shell(*box, frames + "02:00:00:00:00:77 " + net.address() + " " + net.gateway()), "sent");
  EXPECT_EQ(ask(*box, outside, 7005), host);  // behind all of them, and the host still knows where it is
  const std::string known = host_shell(neighbours);
  EXPECT_EQ(known.substr(0, known.find(" lladdr")), net.address()) << known;
  EXPECT_EQ(known.find('\n'), std::string::npos) << known;
  EXPECT_NE(known.find(mac), std::string::npos) << known;
  terminate(*box);
}

TEST_F(SandboxNetwork, HoldsNoMoreConnectionsThanItMay) {
  const auto flows = [&](sandbox& box, int first, int count) {
    return shell(box,
                 "perl -MSocket -e 'socket(S,AF_INET,SOCK_DGRAM,0); for ($ARGV[0]..$ARGV[1]) { "
                 "send(S,\"x\",0,sockaddr_in($_,inet_aton($ARGV[2]))) or die $! } print \"sent\"' " +
                     std::to_string(first) + " " + std::to_string(first + count - 1) + " " + outside);
  };
  const auto entries = [&](sandbox& box) {
    return std::stoi(
        host_shell("grep -c 'udp.*src=" + box.record().net->address() + " ' /proc/net/nf_conntrack || true"));
  };
  const auto refused = [&](sandbox& box) {
    auto count = loop_.run(count_refused_connections(box.record().names()));
    EXPECT_TRUE(count) << count.error().to_string();
    return count ? static_cast<int>(*count) : -1;
  };
  // 5,000 flows, of which all beyond the limit are refused. On a loaded host datagrams are lost before they come to the rule:
  // these are sent again, with all the others.
  const auto refused_of_5000 = [&](sandbox& box, int least) {
    for (int i = 0; i < 5 && refused(box) < least; ++i) EXPECT_EQ(flows(box, 20000, 5000), "sent");
    return refused(box);
  };
  // Nobody is there: each flow is one that waits for an answer.
  host_shell(
      "ip netns exec bt-outside nft -f - <<E\ntable ip bt {\n chain in {\n type filter hook input priority 0\n udp dport >= 10000 drop\n }\n}\nE");
  serve("bt-outside", "tcp", echo_server("0.0.0.0", 7006));
  sandbox_config what = config(network_mode::sandbox);
  what.max_connections = 300;
  auto few = create(what);
  EXPECT_EQ(flows(*few, 10000, 100), "sent");
  EXPECT_EQ(flows(*few, 10000, 100), "sent");  // the same once more
  EXPECT_EQ(ask(*few, outside, 7006), host);
  EXPECT_EQ(refused(*few), 0);
  EXPECT_GE(refused_of_5000(*few, 4700), 4700);
  EXPECT_LE(entries(*few), 300);
  EXPECT_EQ(ask(*few, outside, 7006), "none");
  what.max_connections.reset();
  auto usual = create(what);
  EXPECT_EQ(ask(*usual, outside, 7006), host);  // another's limit is its own
  EXPECT_GE(refused_of_5000(*usual, 900), 900);
  EXPECT_LE(entries(*usual), 4096);
  terminate(*few);
  terminate(*usual);
}

TEST_F(SandboxNetwork, ItsEtcFilesAreItsOwnToWrite) {
  const std::string before = host_shell("cat /etc/hosts /etc/resolv.conf");
  auto box = create(config(network_mode::sandbox));
  const std::string bundle = "cat " + box->record().bundle() + "/hosts " + box->record().bundle() + "/resolv.conf";
  const std::string given = host_shell(bundle);
  EXPECT_EQ(shell(*box, "echo 192.0.2.7 appended >> /etc/hosts && getent hosts appended | cut -d' ' -f1"), "192.0.2.7");
  EXPECT_EQ(shell(*box, "sed -i s/appended/edited/ /etc/hosts && getent hosts edited | cut -d' ' -f1"), "192.0.2.7");
  EXPECT_EQ(shell(*box, "getent hosts $(hostname) | cut -d' ' -f1"), box->record().net->address());
  EXPECT_EQ(
      shell(*box, "echo nameserver 192.0.2.53 > /etc/new && mv /etc/new /etc/resolv.conf && cat /etc/resolv.conf"),
      "nameserver 192.0.2.53");
  EXPECT_EQ(host_shell(bundle), given);
  EXPECT_EQ(host_shell("cat /etc/hosts /etc/resolv.conf"), before);
  auto other = create(config(network_mode::sandbox));
  EXPECT_EQ(shell(*other, "grep -c edited /etc/hosts || true"), "0");
  terminate(*other);
  terminate(*box);
}

TEST_F(SandboxNetwork, HasNoIPv6) {
  auto box = create(config(network_mode::sandbox));
  EXPECT_EQ(shell(*box, "ip -6 -o addr show dev eth0 | wc -l"), "0");
  EXPECT_EQ(host_shell("ip -6 -o addr show dev " + box->record().names().link + " | wc -l"), "0");
  terminate(*box);
}

TEST_F(SandboxNetwork, NoneHasLoopbackOnly) {
  auto box = create(config(network_mode::none));
  EXPECT_FALSE(box->record().net);
  EXPECT_EQ(shell(*box, "ip -o link | wc -l; ip route show default | wc -l"), "1\n0");
  EXPECT_EQ(shell(*box, "ip -4 -o addr show dev lo | grep -c 127.0.0.1"), "1");
  terminate(*box);
}

TEST_F(SandboxNetwork, ANamespaceOfTheCallersIsUsedAndLeftInPlace) {
  ASSERT_EQ(
      host_shell("ip netns add bt-mine && ip link add bt-mine type veth peer name eth0 netns bt-mine && "
                 "ip addr add 192.168.77.1/24 dev bt-mine && ip link set bt-mine up && ip -n bt-mine link set lo up && "
                 "ip -n bt-mine addr add 192.168.77.2/24 dev eth0 && ip -n bt-mine link set eth0 up && "
                 "ip -n bt-mine route add default via 192.168.77.1 && echo ok"),
      "ok");
  serve("", "mine", echo_server("192.168.77.1", 7004));
  sandbox_config what = config(network_mode::path);
  what.network_path = "/run/netns/bt-mine";
  auto box = create(what);
  EXPECT_EQ(ask(*box, "192.168.77.1", 7004), "192.168.77.2");
  EXPECT_EQ(shell(*box, "hostname -I | tr -d ' '"), "192.168.77.2");
  terminate(*box);
  EXPECT_EQ(host_shell("ip netns | grep -c '^bt-mine'"), "1");
  host_shell("ip link del bt-mine; ip netns del bt-mine");
}

TEST_F(SandboxNetwork, APoolThatIsUsedUpIsAnErrorThatLeavesNothing) {
  where_.network_pool = "10.213.7.0/29";
  host_shell("rm -f /run/berth/last-10.213.7.0-29");
  auto first = create(config(network_mode::sandbox));
  auto second = create(config(network_mode::sandbox));
  auto third = loop_.run(sandbox::create(where_, config(network_mode::sandbox)));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, errc::again) << third.error().to_string();
  EXPECT_EQ(first->record().net->subnet.to_string(), "10.213.7.0/30");
  EXPECT_EQ(second->record().net->subnet.to_string(), "10.213.7.4/30");
  terminate(*first);
  third = loop_.run(sandbox::create(where_, config(network_mode::sandbox)));
  ASSERT_TRUE(third) << third.error().to_string();
  EXPECT_EQ((*third)->record().net->subnet.to_string(), "10.213.7.0/30");
  terminate(**third);
  terminate(*second);
}

// The kernel remembers the connections of one that is gone, and would take another at its address for it.
TEST_F(SandboxNetwork, AnAddressIsNotGivenAgainAtOnce) {
  where_.network_pool = "10.213.10.0/28";
  host_shell("rm -f /run/berth/last-10.213.10.0-28");
  for (const char* expected :
       {"10.213.10.0/30", "10.213.10.4/30", "10.213.10.8/30", "10.213.10.12/30", "10.213.10.0/30"}) {
    auto box = create(config(network_mode::sandbox));
    EXPECT_EQ(box->record().net->subnet.to_string(), expected);
    terminate(*box);
  }
}

TEST_F(SandboxNetwork, MakingOneIsCancelledAtEveryTurnWithoutAThrow) {
  auto plan = plan_network("zzzzzcanceled", *parse_ipv4_subnet("10.213.9.0/24"), {}, {});
  ASSERT_TRUE(plan) << plan.error().to_string();
  bool cancelled = true;
  for (int turns = 0; cancelled; ++turns) {
    SCOPED_TRACE(turns);
    boost::asio::cancellation_signal cancel;
    bool done = false;
    auto work = create_network(*plan, {});
    boost::asio::co_spawn(
        loop_.context(), cancellation_as_error(std::move(work)),
        boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, result<void> made) {
          done = true;
          EXPECT_FALSE(e);
          if (!e && !made) {
            EXPECT_EQ(made.error().code, errc::cancelled) << made.error().to_string();
          }
        }));
    loop_.context().restart();
    for (int i = 0; i < turns && !done; ++i) {
      ::usleep(5000);  // so that what ip and nft do comes together: one is done, and is cancelled before it goes on
      loop_.context().run_one();
    }
    cancelled = !done;
    if (cancelled) cancel.emit(boost::asio::cancellation_type::terminal);
    for (int i = 0; i < 3000 && !done; ++i) loop_.run_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(done);
    auto removed = loop_.run(remove_network(plan->names));
    EXPECT_TRUE(removed) << removed.error().to_string();
    if (HasFailure()) break;
  }
  EXPECT_TRUE(loop_.run(find_network_tokens("zzzzzcanc")).value().empty());
}

TEST_F(SandboxNetwork, ANetworkThatIsThereIsSteppedOver) {
  host_shell("ip addr add 10.213.8.1/28 dev bt-host");
  where_.network_pool = "10.213.8.0/24";
  host_shell("rm -f /run/berth/last-10.213.8.0-24");
  auto box = create(config(network_mode::sandbox));
  EXPECT_EQ(box->record().net->subnet.to_string(), "10.213.8.16/30");
  terminate(*box);
}

}  // namespace
