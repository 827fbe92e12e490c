// SPDX-License-Identifier: Apache-2.0
// The rules that nested containers need, in chains of our own (BERTH-FORWARD, BERTH-SNAT, BERTH-OWN).
//
// gVisor's network stack (as of 20260701.0) needs more than forwarding and SNAT:
// - A bridge hands each frame between two containers to the sandbox's own stack as well, which forwards it once more: pings
//   are answered three times, and a few connections in a hundred are reset. So nothing is forwarded but from or to a link
//   that is not Docker's; bridges are kept apart from each other by the same rule, and a container on two of them needs no
//   forwarding.
// - An answer goes out under an address of the link that the question came in by, or not at all. So each bridge has the
//   sandbox's own address too, beside its own; a server of UDP that listens on all addresses answers under the first one,
//   hence the DNAT.
// - With --iptables=false dockerd keeps an internal network apart by leaving its containers without a default route, from
//   26 on; before, not at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::guest {

struct firewall {
  std::string iptables;              ///< the legacy one, by path; its `-restore` is beside it
  std::string device;                ///< the way out, empty where there is none
  std::string address;               ///< that one's, to which the traffic of nested containers is translated
  std::vector<std::string> outside;  ///< all links but Docker's own
};

/// `iptables-restore --noflush`'s input: where none of the chains is there, or where they are, whatever is in them. Pure.
std::string new_rules(const firewall& what);
std::string same_rules_again(const firewall& what);

/// For a bridge of Docker's with `gateway` as its own address. Pure.
std::string bridge_rules(const firewall& what, const std::string& bridge, const std::string& gateway, bool internal);
/// The same, taken out again. Pure.
std::string without(std::string_view rules);

/// Loads the rules of `what`. The reason where they could not be loaded; else empty.
std::string load_rules(const firewall& what);
/// Adds or removes some: new_rules and its like are not for it. The reason or nothing.
std::string change_rules(const firewall& what, const std::string& rules);

/// iptables-legacy where the root file system has it: its nft variant does not work in gVisor (#9917). Empty where not.
std::string find_legacy_iptables();

}  // namespace berth::guest
