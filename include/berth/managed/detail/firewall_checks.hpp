// SPDX-License-Identifier: Apache-2.0
// Whether this host's firewall lets sandboxes' traffic through.
#pragma once

#include <berth/config.hpp>
#include <berth/managed/machine_check.hpp>
#include <berth/sandbox/config.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace berth::detail {

/// In what `nft list chains` prints: the first chain that drops forwarded packets by its policy, as "ip filter FORWARD";
/// empty where there is none. Tables of berth's own are left out.
BERTH_DECL std::string find_forward_drop(std::string_view nft_chains);

/// Whether a policy of the host drops what sandboxes send on: Docker on the host sets it, ufw and firewalld do. An extra,
/// since rules in front of the policy may let it through all the same. For root only. Changes nothing.
BERTH_DECL machine_check check_firewall();

/// Whether running sandboxes have lost the rules that isolate them, by `nft flush ruleset` for one; nothing where none
/// runs that has any. For root only.
BERTH_DECL std::optional<machine_check> check_sandbox_rules(const environment& where);

/// A program on the PATH that berth gives to what it runs, or empty.
BERTH_DECL std::string find_host_program(const std::string& name);

}  // namespace berth::detail

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/managed/firewall_checks.ipp>
#endif
