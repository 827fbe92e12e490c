// SPDX-License-Identifier: Apache-2.0
// Network links of the network namespace that we are in, without the program `ip`, which would be a process for each question.
#pragma once

#include <string>
#include <vector>

namespace berth::guest {

/// All links, in the order of /proc/net/dev.
std::vector<std::string> link_names();

/// 0 where there is no such link.
unsigned mtu_of_link(const std::string& name);

/// gVisor leaves room for a header: the link's MTU is 14 less afterwards (20260905.0). 0 or errno.
int set_link_mtu(const std::string& name, unsigned mtu);

/// The link's first IPv4 address, empty where it has none.
std::string address_of_link(const std::string& name);

/// The link of the IPv4 default route, empty where there is none.
std::string default_route_link();

/// Removes a link, with its other end. 0 or errno.
int delete_link(const std::string& name);

/// Gives a link one more IPv4 address, with a prefix of 32 bits. 0 or errno; EEXIST where it has it.
int add_link_address(const std::string& name, const std::string& address);

}  // namespace berth::guest
