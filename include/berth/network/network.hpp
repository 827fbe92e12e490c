// SPDX-License-Identifier: Apache-2.0
// The network of one sandbox, made on the host and taken away again.
#pragma once

#include <berth/base/clock.hpp>
#include <berth/base/log.hpp>
#include <berth/base/unique_fd.hpp>
#include <berth/network/host.hpp>
#include <berth/network/plan.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace berth {

/// Held from choosing a subnet until its link is there, so that no two creations on this host, of whatever root
/// directory and process, choose the same. Released by the destructor.
class network_lock {
 public:
  /// Waits for /run/berth/network.lock without blocking the loop. Errors: timeout, permission, io, cancelled.
  BERTH_DECL static boost::asio::awaitable<result<network_lock>> acquire(time_point deadline);

 private:
  explicit network_lock(unique_fd fd) noexcept : fd_(std::move(fd)) {}
  unique_fd fd_;
};

/// Chooses a subnet of `pool` that overlaps nothing that the host has, nor `also_used` (the subnets that records name), as
/// long as possible after it was last in use (the address given last is kept below /run/berth), and fills in what else is the
/// host's. Call it under the lock, and write the record before create_network. Errors: again when the pool is used up, exists
/// when the names are taken.
BERTH_DECL result<network_plan> plan_network(std::string_view token, const ipv4_subnet& pool,
                                             std::vector<ipv4_subnet> also_used, std::vector<std::string> nameservers);

/// Whether the path is that of a network namespace (/run/netns/NAME, /proc/PID/ns/net); never waits for what else may lie
/// there. Errors: invalid, not_found, permission, io.
BERTH_DECL result<void> check_network_namespace(const std::string& path);

/// Loads the rules, then makes the namespace and its link. IPv4 forwarding is turned on when it is off: a setting of
/// the whole host, which is not turned back. On failure what was made stays: call remove_network. Errors:
/// network_failed with what `ip` or `nft` said, not_found with the package that is missing, permission, timeout,
/// cancelled.
BERTH_DECL boost::asio::awaitable<result<void>> create_network(network_plan plan, log_sink log,
                                                               time_point deadline = time_point::max());

/// runsc takes the addresses and routes of the namespace's link for a stack of its own, and off the link. They are put back, for
/// another runsc that goes on in the same network. Errors: as create_network.
BERTH_DECL boost::asio::awaitable<result<void>> renew_addresses(network_names names, ipv4_subnet subnet,
                                                                time_point deadline);

/// Removes whatever is left of it: link, namespace, rules. Idempotent; goes on past failures and gives the first one. No
/// nft, or one that cannot even list tables, is no failure: with that one none was made. Should there be a table all the
/// same, find_network_tokens finds it once nft works.
BERTH_DECL boost::asio::awaitable<result<void>> remove_network(network_names names,
                                                               time_point deadline = time_point::max(),
                                                               log_sink log = {});

/// How many flows max_connections has refused the sandbox so far, in packets. Errors: network_failed (the rules are gone, or
/// it has no limit), not_found, timeout, cancelled.
BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> count_refused_connections(
    network_names names, time_point deadline = time_point::max());

/// Puts another policy in the place of `before`, the one that the sandbox was made with, or was given since, at once and wholly.
/// Errors: network_failed (the rules are gone, or are of a berth that had no such policies), not_found, permission, timeout,
/// cancelled; after the last two either policy may hold.
BERTH_DECL boost::asio::awaitable<result<void>> change_egress(network_names names, egress_policy policy,
                                                              egress_policy before,
                                                              time_point deadline = time_point::max());

/// How many packets of the sandbox's the policy has refused so far. Errors: network_failed (as change_egress), not_found,
/// timeout, cancelled.
BERTH_DECL boost::asio::awaitable<result<std::uint64_t>> count_refused_egress(network_names names,
                                                                              time_point deadline = time_point::max());

/// What came of a sandbox's policy so far.
struct egress_report {
  std::uint64_t refused = 0;  ///< packets
  std::vector<refused_place>
      places;  ///< where those of the last hour were to go, by TCP or UDP, the latest first; most_refused_places at most
  std::vector<named_address> addresses;  ///< that names have, as far as they were asked for
};
/// `named` are the policy's rules with names. Errors: as count_refused_egress.
BERTH_DECL boost::asio::awaitable<result<egress_report>> report_egress(network_names names,
                                                                       std::vector<egress_name> named,
                                                                       time_point deadline = time_point::max());

/// The tokens that begin with `prefix` of all namespaces, links and tables of berth's that this host has, sorted, each
/// once. Without a working nft, those of namespaces and links. Errors: timeout, cancelled, what kept it from looking.
BERTH_DECL boost::asio::awaitable<result<std::vector<std::string>>> find_network_tokens(
    std::string prefix, time_point deadline = time_point::max(), log_sink log = {});

}  // namespace berth

#if !defined(BERTH_SEPARATE_COMPILATION)
#include <berth/impl/network/network.ipp>
#endif
