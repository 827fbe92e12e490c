// SPDX-License-Identifier: Apache-2.0
// Whether this host's firewall lets sandboxes' traffic through.
#pragma once

#include "doctor_checks.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace berth::cli {

/// In what `nft list chains` prints: the first chain that drops forwarded packets by its policy, as "ip filter FORWARD";
/// empty where there is none. Tables of berth's own are left out.
std::string find_forward_drop(std::string_view nft_chains);

/// Whether a policy of the host drops what sandboxes send on: Docker on the host sets it, ufw and firewalld do. An extra,
/// since rules in front of the policy may let it through all the same. For root only. Changes nothing.
check check_firewall();

/// Whether running sandboxes have lost the rules that isolate them, by `nft flush ruleset` for one; nothing where none
/// runs that has any. For root only.
std::optional<check> check_sandbox_rules(const environment& where);

}  // namespace berth::cli
