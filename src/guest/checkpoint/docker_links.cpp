// SPDX-License-Identifier: Apache-2.0
#include "docker_links.hpp"

#include "base/link.hpp"
#include "base/processes.hpp"
#include "base/tool.hpp"
#include "base/words.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>

namespace berth::guest {
namespace {

// By which names `ip` finds network namespaces.
constexpr const char* named_namespaces = "/run/netns";
// gVisor takes an Ethernet header off what a bridge's or veth's MTU is set to when it is asked for it (release-20260701.0).
constexpr unsigned mtu_header = 14;

bool is_bridge_name(std::string_view name) { return name == "docker0" || name.starts_with("br-"); }

unsigned prefix_of(const sockaddr* mask) {
  unsigned bits = 0;
  if (mask == nullptr) return bits;
  const auto count = [&bits](const unsigned char* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bits += static_cast<unsigned>(std::popcount(bytes[i]));
  };
  if (mask->sa_family == AF_INET)
    count(reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in*>(mask)->sin_addr), 4);
  if (mask->sa_family == AF_INET6)
    count(reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr), 16);
  return bits;
}

void take_address(link_state& to, const ifaddrs& from) {
  char text[INET6_ADDRSTRLEN] = "";
  const sockaddr* address = from.ifa_addr;
  if (address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (IN6_IS_ADDR_LINKLOCAL(&ip)) return;  // a link makes its own
    ::inet_ntop(AF_INET6, &ip, text, sizeof text);
  } else if (address->sa_family == AF_PACKET) {
    const auto* link = reinterpret_cast<const sockaddr_ll*>(address);
    if (link->sll_halen != 6) return;
    char mac[18];
    const unsigned char* b = link->sll_addr;
    std::snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
    to.mac = mac;
    return;
  } else {
    return;
  }
  to.addresses.push_back({text, prefix_of(from.ifa_netmask)});
}

// Those of the network namespace that we are in, but for loopback.
std::vector<link_state> read_links() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> held(list, &::freeifaddrs);
  std::vector<link_state> links;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    auto at = std::find_if(links.begin(), links.end(), [&](const link_state& l) { return l.name == one->ifa_name; });
    if (at == links.end()) at = links.insert(links.end(), link_state{one->ifa_name, {}, 0, {}});
    take_address(*at, *one);
  }
  for (link_state& link : links) link.mtu = mtu_of_link(link.name);
  return links;
}

// A process of each network namespace that is not ours.
std::vector<pid_t> find_namespaces() {
  const std::string own = network_namespace_of(::getpid());
  std::map<std::string, pid_t> found;
  for (const pid_t pid : processes()) {
    const std::string space = network_namespace_of(pid);
    if (space.empty() || space == own) continue;
    const auto [at, is_new] = found.try_emplace(space, pid);
    if (!is_new) at->second = std::min(at->second, pid);  // a container's first process stays longest
  }
  std::vector<pid_t> pids;
  for (const auto& [space, pid] : found) pids.push_back(pid);
  return pids;
}

std::string gateway_of(pid_t pid) {
  const std::string table = read_system_file("/proc/" + std::to_string(pid) + "/net/route");
  std::string_view rest = table, line, device, destination, gateway;
  while (next_line(rest, line)) {
    if (!next_word(line, device) || !next_word(line, destination) || !next_word(line, gateway) ||
        destination != "00000000")
      continue;
    in_addr ip{};
    ip.s_addr = static_cast<in_addr_t>(std::strtoul(std::string(gateway).c_str(), nullptr, 16));
    char text[INET_ADDRSTRLEN];
    if (ip.s_addr != 0 && ::inet_ntop(AF_INET, &ip, text, sizeof text) != nullptr) return text;
  }
  return {};
}

bool holds(const link_address& net, const link_address& one) {
  in_addr a{}, b{};
  if (net.prefix == 0 || net.prefix >= 32 || ::inet_pton(AF_INET, net.ip.c_str(), &a) != 1 ||
      ::inet_pton(AF_INET, one.ip.c_str(), &b) != 1)
    return false;
  const std::uint32_t mask = ~std::uint32_t{0} << (32 - net.prefix);
  return (ntohl(a.s_addr) & mask) == (ntohl(b.s_addr) & mask);
}

// Everything of a link but its name.
std::string set_up(const link_state& link, const std::string& own_address) {
  std::string text;
  if (!link.mac.empty()) text += "link set " + link.name + " address " + link.mac + "\n";
  if (link.mtu != 0) text += "link set " + link.name + " mtu " + std::to_string(link.mtu + mtu_header) + "\n";
  for (const link_address& address : link.addresses) {
    if (address.ip == own_address) continue;
    text += "addr add " + address.ip + "/" + std::to_string(address.prefix) + " dev " + link.name + "\n";
  }
  return text + "link set " + link.name + " up\n";
}

unique_fd open_namespace(pid_t pid) {
  return unique_fd(::open(("/proc/" + std::to_string(pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
}

std::string name_of_namespace(pid_t pid) { return "berth-" + std::to_string(pid); }

}  // namespace

const link_state* bridge_of(const docker_links& all, const link_state& link) {
  for (const link_state& bridge : all.bridges)
    for (const link_address& net : bridge.addresses)
      for (const link_address& own : link.addresses)
        if (holds(net, own)) return &bridge;
  return nullptr;
}

docker_links read_docker_links() {
  docker_links found;
  for (link_state& link : read_links())
    if (is_bridge_name(link.name)) found.bridges.push_back(std::move(link));
  const unique_fd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  for (const pid_t pid : find_namespaces()) {
    container_links one;
    one.pid = pid;
    const unique_fd space = open_namespace(pid);
    if (!own || !space || ::setns(space.get(), CLONE_NEWNET) != 0) continue;
    one.links = read_links();
    (void)::setns(own.get(), CLONE_NEWNET);
    one.gateway = gateway_of(pid);
    if (!one.links.empty()) found.containers.push_back(std::move(one));
  }
  return found;
}

std::string cut_docker_links(const docker_links& all) {
  std::string failed;
  const unique_fd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  for (const container_links& container : all.containers) {
    const unique_fd space = open_namespace(container.pid);
    if (!own || !space || ::setns(space.get(), CLONE_NEWNET) != 0) continue;  // it has ended
    for (const link_state& link : container.links) {
      if (bridge_of(all, link) == nullptr) continue;
      if (const int err = delete_link(link.name); err != 0) failed += link.name + ": " + std::strerror(err) + "\n";
    }
    (void)::setns(own.get(), CLONE_NEWNET);
  }
  return failed;
}

link_plan plan_docker_links(const docker_links& before, const std::vector<std::string>& present,
                            const std::string& own_address) {
  const auto is_there = [&present](const std::string& name) {
    return std::find(present.begin(), present.end(), name) != present.end();
  };
  link_plan plan;
  for (const link_state& bridge : before.bridges) {
    if (is_there(bridge.name)) continue;
    plan.own += "link add " + bridge.name + " type bridge\n" + set_up(bridge, own_address);
  }
  int number = 0;
  for (const container_links& container : before.containers) {
    if (!container.cut_off.empty()) continue;  // Docker makes it new ones
    link_plan::inside inside{container.pid, {}};
    for (const link_state& link : container.links) {
      const link_state* bridge = bridge_of(before, link);
      if (bridge == nullptr) continue;  // a tunnel of the container's own, perhaps
      while (is_there("vethb" + std::to_string(number))) ++number;
      const std::string outer = "vethb" + std::to_string(number++), inner = outer + "p";
      plan.own += "link add " + outer + " type veth peer name " + inner + "\n";
      plan.own += "link set " + inner + " netns " + name_of_namespace(container.pid) + "\n";
      if (link.mtu != 0) plan.own += "link set " + outer + " mtu " + std::to_string(link.mtu + mtu_header) + "\n";
      plan.own += "link set " + outer + " master " + bridge->name + "\nlink set " + outer + " up\n";
      inside.batch += "link set " + inner + " name " + link.name + "\n" + set_up(link, {});
    }
    if (inside.batch.empty()) continue;
    if (!container.gateway.empty()) inside.batch += "route add default via " + container.gateway + "\n";
    plan.containers.push_back(std::move(inside));
  }
  return plan;
}

std::string make_docker_links(const docker_links& before, const std::string& own_address) {
  std::vector<std::string> present;
  for (const link_state& link : read_links()) present.push_back(link.name);
  const link_plan plan = plan_docker_links(before, present, own_address);
  if (plan.own.empty()) return {};
  // By a number `ip` would name a process, which gVisor does not take: by a name it opens a file.
  ::mkdir(named_namespaces, 0755);
  std::vector<std::string> names;
  for (const link_plan::inside& one : plan.containers) {
    names.push_back(std::string(named_namespaces) + "/" + name_of_namespace(one.pid));
    ::unlink(names.back().c_str());
    (void)!::symlink(("/proc/" + std::to_string(one.pid) + "/ns/net").c_str(), names.back().c_str());
  }
  const std::vector<std::string> ip = {"ip", "-force", "-batch", "-"};
  std::string failed, printed;
  const auto note = [&](int code) {
    if (code == 127) failed += "ip: cannot be run\n";
    else if (code != 0) failed += printed;
  };
  note(run_tool(ip, plan.own, 0, &printed));
  for (const link_plan::inside& one : plan.containers) note(run_tool(ip, one.batch, one.pid, &printed));
  for (const std::string& name : names) ::unlink(name.c_str());
  return failed;
}

}  // namespace berth::guest
