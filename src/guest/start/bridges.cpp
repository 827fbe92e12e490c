// SPDX-License-Identifier: Apache-2.0
#include "start/bridges.hpp"

#include "base/link.hpp"
#include "base/processes.hpp"
#include "base/tool.hpp"
#include "start/network_record.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {
namespace {

constexpr int retry_ms = 100, most_settings = 30;
constexpr int look_again_ms = 10'000;  // whether dockerd is still there, and whether a message was missed
constexpr int polling_ms = 1'000;      // where the kernel does not tell of links

// The host hands the sandbox what arrives in pieces of up to 64 KiB (GSO), and gVisor forwards none that is larger than the MTU of
// where it goes (20260905.0): at a bridge of 1500 a container's download came to 30 KB a
// second, by what was sent anew in small pieces. The containers' own links keep Docker's MTU, by which they say what may be sent to
// them, and which what they send has.
constexpr unsigned bridge_mtu = 65'535;

struct bridge {
  bool settled = false;
  int tries = 0;
  std::string rules;  // as they were added
};

class follower {
 public:
  explicit follower(network_record what) : what_(std::move(what)) {}

  int run() {
    const unique_fd news = listen();
    int patience = 0;
    for (;;) {
      pollfd wait{news.get(), POLLIN, 0};
      (void)::poll(&wait, news ? 1 : 0, patience);
      drain(news);
      if (!dockerd_runs()) return 0;
      patience = scan() ? retry_ms : news ? look_again_ms : polling_ms;
    }
  }

 private:
  static unique_fd listen() {
    unique_fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl own{};
    own.nl_family = AF_NETLINK;
    own.nl_groups = RTMGRP_LINK;
    if (socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) socket.reset();
    return socket;
  }

  // What the messages say is in /proc/net/dev.
  static void drain(const unique_fd& news) {
    char buffer[4096];
    while (news && ::recv(news.get(), buffer, sizeof buffer, MSG_DONTWAIT) > 0) {
    }
  }

  bool dockerd_runs() const {
    struct stat info {};
    return ::lstat(("/proc/" + std::to_string(what_.dockerd) + "/exe").c_str(), &info) == 0;
  }

  // Whether one has not come so far yet: to be asked again soon.
  bool scan() {
    const std::vector<std::string> present = link_names();
    for (const std::string& name : present)
      if (is_followed(name)) bridges_.try_emplace(name);
    for (auto at = bridges_.begin(); at != bridges_.end();) {
      if (std::find(present.begin(), present.end(), at->first) == present.end()) {
        (void)change_rules(what_.rules, without(at->second.rules));
        at = bridges_.erase(at);
      } else {
        ++at;
      }
    }
    bool waits = false;
    for (auto& [name, one] : bridges_) {
      if (!one.settled) settle(name, one);
      // One that Docker never writes down is somebody else's, and looked at again only when something else happens.
      waits = waits || (!one.settled && ++one.tries < most_settings);
    }
    return waits;
  }

  bool is_followed(const std::string& name) const {
    const auto& outside = what_.rules.outside;
    return name != "lo" && !name.starts_with("veth") &&
           std::find(outside.begin(), outside.end(), name) == outside.end();
  }

  // Docker makes the link first, then gives it its address, then writes its record.
  void settle(const std::string& name, bridge& one) {
    const std::string networks = read_system_file(what_.networks, 64u << 20);
    const std::string key = "\"BridgeName\":\"" + name + "\"";
    std::size_t at = networks.find(key);
    const std::string gateway = at == std::string::npos ? std::string() : address_of_link(name);
    if (gateway.empty()) return;
    bool internal = false;
    for (; at != std::string::npos; at = networks.find(key, at + key.size())) {  // the file keeps old pages too
      const std::string_view rest = std::string_view(networks).substr(at + key.size());
      internal =
          internal || rest.substr(0, rest.find_first_of("{}")).find("\"Internal\":true") != std::string_view::npos;
    }
    one.rules = bridge_rules(what_.rules, name, gateway, internal);
    (void)change_rules(what_.rules, one.rules);
    (void)set_link_mtu(name, bridge_mtu);
    if (!internal && !what_.rules.address.empty()) (void)add_link_address(name, what_.rules.address);
    one.settled = true;
  }

  network_record what_;
  std::map<std::string, bridge> bridges_;
};

// Those of an earlier start, or of the address before a restore.
void end_others() {
  const std::string mark = std::string("\0", 1) + follow_bridges_verb + std::string("\0", 1);
  for (const pid_t pid : processes()) {
    if (pid <= 1 || pid == ::getpid()) continue;
    const std::string line = read_system_file("/proc/" + std::to_string(pid) + "/cmdline", 4096);
    const std::size_t at = line.find(mark);
    if (at != std::string::npos && at + mark.size() == line.size()) ::kill(pid, SIGKILL);
  }
}

}  // namespace

int follow_bridges() {
  network_record what = read_network_record();
  if (what.rules.iptables.empty() || what.dockerd <= 1) return 1;
  return follower(std::move(what)).run();
}

void start_following_bridges() {
  end_others();
  char self[4096];
  const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self - 1);
  if (n > 0) leave_tool({std::string(self, static_cast<std::size_t>(n)), follow_bridges_verb});
}

}  // namespace berth::guest
