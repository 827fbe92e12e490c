// SPDX-License-Identifier: Apache-2.0
#include "nft_elements.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace berth::guest {
namespace {

constexpr std::uint8_t comment_of_element = 0;  // NFTNL_UDATA_SET_ELEM_COMMENT: the kernel keeps it for nft, unread
constexpr std::size_t longest_comment = 253;    // NFT_USERDATA_MAXLEN, its own two bytes and a NUL

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string attribute(int type, std::string_view payload) {
  nlattr head{};
  head.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + payload.size());
  head.nla_type = static_cast<std::uint16_t>(type);
  std::string out = bytes_of(head);
  out += payload;
  out.append(NLA_ALIGN(out.size()) - out.size(), '\0');
  return out;
}
std::string nested(int type, std::string_view payload) { return attribute(type | NLA_F_NESTED, payload); }
std::string text(int type, std::string_view value) { return attribute(type, std::string(value) + '\0'); }

std::string message(int type, int flags, std::uint8_t family, std::uint16_t resource, std::uint32_t sequence,
                    std::string_view payload) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg)) + payload.size());
  head.nlmsg_type = static_cast<std::uint16_t>(type);
  head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  head.nlmsg_seq = sequence;
  nfgenmsg family_of{};
  family_of.nfgen_family = family;
  family_of.version = NFNETLINK_V0;
  family_of.res_id = htons(resource);
  return bytes_of(head) + bytes_of(family_of) + std::string(payload);
}

struct element {
  std::string key, data, comment;
  std::uint32_t seconds = 0;  // 0: it has no timeout

  std::string encoded() const {
    std::string out = nested(NFTA_SET_ELEM_KEY, attribute(NFTA_DATA_VALUE, key));
    if (!data.empty()) out += nested(NFTA_SET_ELEM_DATA, attribute(NFTA_DATA_VALUE, data));
    if (seconds != 0) {
      const std::uint64_t ms = std::uint64_t{seconds} * 1000;
      std::string big;
      for (int shift = 56; shift >= 0; shift -= 8) big += static_cast<char>(ms >> shift & 255);
      out += attribute(NFTA_SET_ELEM_TIMEOUT, big);
    }
    if (!comment.empty()) {
      const std::string shown = comment.substr(0, longest_comment) + '\0';
      out += attribute(NFTA_SET_ELEM_USERDATA,
                       std::string{static_cast<char>(comment_of_element), static_cast<char>(shown.size())} + shown);
    }
    return nested(NFTA_LIST_ELEM, out);
  }
};

class batch {
 public:
  batch(std::string_view table, std::uint32_t& sequence) : first(sequence + 1), table_(table), sequence_(sequence) {
    bytes_ = message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, ++sequence_, {});
  }
  // New whether it is there or not: before Linux 6.12 adding one that is there leaves it the time that it had left.
  void renew(std::string_view set, const std::string& elements, const std::string& keys) {
    put(NFT_MSG_NEWSETELEM, set, elements);
    put(NFT_MSG_DELSETELEM, set, keys);
    put(NFT_MSG_NEWSETELEM, set, elements);
  }
  void put(int what, std::string_view set, const std::string& elements) {
    std::string payload = text(NFTA_SET_ELEM_LIST_TABLE, table_) + text(NFTA_SET_ELEM_LIST_SET, set);
    if (!elements.empty()) payload += nested(NFTA_SET_ELEM_LIST_ELEMENTS, elements);
    bytes_ += message(NFNL_SUBSYS_NFTABLES << 8 | what, NLM_F_ACK | (what == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0),
                      NFPROTO_INET, 0, ++sequence_, payload);
    ++acknowledged_;
  }
  std::string end() {
    return bytes_ + message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, ++sequence_, {});
  }
  int acknowledged() const { return acknowledged_; }

  const std::uint32_t first;  // of its numbers, the begin's

 private:
  std::string table_, bytes_;
  std::uint32_t& sequence_;
  int acknowledged_ = 0;
};

}  // namespace

nft_elements::nft_elements() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)) {
  const timeval patience{2, 0};
  const int on = 1;
  if (!socket_) return;
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void)::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);  // what was sent is not sent back
}

int nft_elements::add_addresses(std::string_view table, const std::vector<std::string>& sets,
                                const std::vector<std::uint32_t>& addresses, std::uint32_t seconds,
                                std::string_view why) {
  if (addresses.empty() || sets.empty()) return 0;
  std::string elements, keys;
  for (const std::uint32_t address : addresses) {
    const std::string key = bytes_of(htonl(address));
    elements += element{key, {}, std::string(why), seconds}.encoded();
    keys += element{key, {}, {}, 0}.encoded();
  }
  batch all(table, sequence_);
  for (const std::string& set : sets) all.renew(set, elements, keys);
  return commit(all.end(), all.first, all.acknowledged());
}

int nft_elements::set_port(std::string_view table, std::string_view map, std::uint16_t key, std::string_view ports,
                           std::uint16_t port) {
  batch all(table, sequence_);
  for (const std::string_view set : {map, ports}) all.put(NFT_MSG_DELSETELEM, set, {});  // all that it has
  all.put(NFT_MSG_NEWSETELEM, map, element{bytes_of(htons(key)), bytes_of(htons(port)), {}, 0}.encoded());
  all.put(NFT_MSG_NEWSETELEM, ports, element{bytes_of(htons(port)), {}, {}, 0}.encoded());
  return commit(all.end(), all.first, all.acknowledged());
}

int nft_elements::commit(const std::string& all, std::uint32_t first, int wanted) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* to = reinterpret_cast<const sockaddr*>(&kernel);
  if (!socket_) return EMFILE;
  if (::sendto(socket_.get(), all.data(), all.size(), 0, to, sizeof kernel) < 0) return errno;
  // An acknowledgement for each message, or the first failure: then none of them was done.
  int failed = 0;
  char buffer[8192];
  while (wanted > 0) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    auto left = static_cast<std::size_t>(n);
    for (const char* at = buffer; left >= NLMSG_HDRLEN;) {
      nlmsghdr head{};
      std::memcpy(&head, at, sizeof head);
      if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > left) break;
      // What is older is of a call that gave up.
      if (head.nlmsg_type == NLMSG_ERROR && left >= NLMSG_HDRLEN + sizeof(int) &&
          static_cast<std::int32_t>(head.nlmsg_seq - first) >= 0) {
        int code = 0;
        std::memcpy(&code, at + NLMSG_HDRLEN, sizeof code);
        if (head.nlmsg_seq == first) return -code;  // of the whole batch
        --wanted;
        if (code != 0 && failed == 0) failed = -code;
      }
      const std::size_t step = NLMSG_ALIGN(head.nlmsg_len);
      if (step >= left) break;
      at += step;
      left -= step;
    }
  }
  return failed;
}

}  // namespace berth::guest
