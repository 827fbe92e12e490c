// SPDX-License-Identifier: Apache-2.0
#include "link.hpp"

#include "words.hpp"

#include <berth/base/file.hpp>
#include <berth/base/unique_fd.hpp>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace berth::guest {
namespace {

bool ask(const std::string& name, unsigned long question, ifreq& answer) {
  const unique_fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  answer = {};
  std::strncpy(answer.ifr_name, name.c_str(), sizeof answer.ifr_name - 1);
  answer.ifr_addr.sa_family = AF_INET;
  return socket && ::ioctl(socket.get(), question, &answer) == 0;
}

// One request, and whether the kernel took it. 0 or errno.
int request_link(const void* request, std::size_t size) {
  const unique_fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket || ::send(socket.get(), request, size, 0) != static_cast<ssize_t>(size)) return errno;
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } answer{};
  const ssize_t n = ::recv(socket.get(), &answer, sizeof answer, 0);
  if (n < 0) return errno;
  if (n < static_cast<ssize_t>(sizeof answer) || answer.header.nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -answer.error.error;
}

/// A request about the link `name`. 0 or errno.
template <class Request>
int begin_link_request(Request& request, std::uint16_t type, const std::string& name) {
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.link.ifi_family = AF_UNSPEC;
  request.link.ifi_index = static_cast<int>(::if_nametoindex(name.c_str()));
  return request.link.ifi_index == 0 ? errno : 0;
}

}  // namespace

std::vector<std::string> link_names() {
  const std::string table = read_system_file("/proc/net/dev");
  std::vector<std::string> names;
  std::string_view rest = table, line, word;
  while (next_line(rest, line)) {
    const std::size_t colon = line.find(':');  // the two lines of headings have none
    std::string_view head = line.substr(0, colon);
    if (colon != std::string_view::npos && next_word(head, word)) names.emplace_back(word);
  }
  return names;
}

unsigned mtu_of_link(const std::string& name) {
  ifreq answer;
  return ask(name, SIOCGIFMTU, answer) ? static_cast<unsigned>(answer.ifr_mtu) : 0;
}

int set_link_mtu(const std::string& name, unsigned mtu) {
  struct {
    nlmsghdr header;
    ifinfomsg link;
    rtattr mtu_head;
    std::uint32_t mtu;
  } request{};
  if (const int failed = begin_link_request(request, RTM_NEWLINK, name); failed != 0) return failed;
  request.mtu_head.rta_len = RTA_LENGTH(sizeof request.mtu);
  request.mtu_head.rta_type = IFLA_MTU;
  request.mtu = mtu;
  return request_link(&request, sizeof request);
}

std::string address_of_link(const std::string& name) {
  ifreq answer;
  if (!ask(name, SIOCGIFADDR, answer)) return {};
  sockaddr_in address{};
  std::memcpy(&address, &answer.ifr_addr, sizeof answer.ifr_addr);
  char text[INET_ADDRSTRLEN];
  if (address.sin_addr.s_addr == 0 || ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) == nullptr) return {};
  return text;
}

std::string default_route_link() {
  const std::string table = read_system_file("/proc/net/route");
  std::string_view rest = table, line, link, destination;
  while (next_line(rest, line))
    if (next_word(line, link) && next_word(line, destination) && destination == "00000000") return std::string(link);
  return {};
}

int delete_link(const std::string& name) {
  struct {
    nlmsghdr header;
    ifinfomsg link;
  } request{};
  const int failed = begin_link_request(request, RTM_DELLINK, name);
  return failed != 0 ? failed : request_link(&request, sizeof request);
}

int add_link_address(const std::string& name, const std::string& address) {
  struct {
    nlmsghdr header;
    ifaddrmsg address;
    rtattr local_head;
    in_addr local;
    rtattr peer_head;
    in_addr peer;
  } request{};
  if (::inet_pton(AF_INET, address.c_str(), &request.local) != 1) return EINVAL;
  request.peer = request.local;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_NEWADDR;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  request.address.ifa_family = AF_INET;
  request.address.ifa_prefixlen = 32;
  request.address.ifa_index = ::if_nametoindex(name.c_str());
  if (request.address.ifa_index == 0) return errno;
  request.local_head.rta_len = request.peer_head.rta_len = RTA_LENGTH(sizeof(in_addr));
  request.local_head.rta_type = IFA_LOCAL;
  request.peer_head.rta_type = IFA_ADDRESS;
  return request_link(&request, sizeof request);
}

}  // namespace berth::guest
