// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "start/network_record.hpp"

#include <string>

namespace berth::guest {

/// Makes the sandbox forward for nested containers as `what` says, writes that down, loads the rules, and has the bridges
/// followed; without an address there is no way out, and only the rules are loaded. In place of what was set up before. What
/// failed comes as text, for people.
std::string set_up_network(const network_record& what);

}  // namespace berth::guest
