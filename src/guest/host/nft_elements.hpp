// SPDX-License-Identifier: Apache-2.0
// Elements of nftables sets, put there over netlink: a program nft would take longer than the question that they are for, and
// nft 1.0.6 first reads every table of the host.
#pragma once

#include <berth/base/unique_fd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

class nft_elements {
 public:
  nft_elements();

  /// Puts the addresses into sets of type ipv4_addr with timeouts, from now on for so many seconds, in one transaction; `why` is
  /// the comment that `nft list` shows. 0 or the errno: ENOENT where there is no such table or set, ENFILE where one is full.
  int add_addresses(std::string_view table, const std::vector<std::string>& sets,
                    const std::vector<std::uint32_t>& addresses, std::uint32_t seconds, std::string_view why);

  /// Makes `port` all that a map of port to port has, under `key`, and all that a set of ports has.
  int set_port(std::string_view table, std::string_view map, std::uint16_t key, std::string_view ports,
               std::uint16_t port);

 private:
  int commit(const std::string& batch, std::uint32_t first, int wanted);

  unique_fd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace berth::guest
