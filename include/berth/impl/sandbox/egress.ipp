// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/hints.hpp>
#include <berth/impl/sandbox/config.ipp>
#include <berth/network/network.hpp>
#include <berth/process/cancellation.hpp>
#include <berth/sandbox/detail/state_directory.hpp>
#include <berth/sandbox/name_service.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace berth {

namespace detail {

/// The record of `mine` as it is now, where its egress is berth's to say. A paused sandbox's is too.
inline result<sandbox_record> read_egress_record(const sandbox_record& mine) {
  if (mine.damaged) return damaged_record(mine.damage);
  auto record = read_record(mine.directory);
  if (!record) return record;
  if (record->token != mine.token)
    return make_error(errc::not_found, "sandbox", "the sandbox was removed, and another has its id", mine.id);
  if (auto obstacle = egress_obstacle(record->network)) return std::move(*obstacle);
  if (record->phase == record_phase::creating)
    return make_error(errc::sandbox_not_running, "sandbox", "the sandbox is not up yet", record->id, "try again");
  if (record->phase == record_phase::removing || !record->lives())
    return not_running_error(*record, "the sandbox does not run any more", hints::remove_sandbox(record->id));
  if (!record->net || !record->net->egress)
    return make_error(errc::unsupported, "sandbox", "the sandbox was made by an earlier berth, without egress rules",
                      record->id, "remove it and make it anew");
  return record;
}

/// Of what nft refused. That something is not there is no matter of the call.
inline error egress_failure(error e, const sandbox_record& record) {
  if (e.code == errc::network_failed && e.message.find("No such file or directory") != std::string::npos) {
    e.message = "the firewall rules of the sandbox are gone: nothing is enforced";
    e.path = record.id;
    e.hint = "another program flushed them: remove the sandbox, and " + hints::check_machine();
  }
  return e;
}

/// Rules and record are to say the same: both are changed, or neither.
inline boost::asio::awaitable<result<void>> apply_egress(sandbox_record& record, egress_policy policy, std::string root,
                                                         std::string init, time_point deadline) {
  const egress_policy before = *record.net->egress;
  record.net->egress = policy;
  network_names names = record.names();
  auto applying = change_egress(names, policy, before, deadline);
  auto done = co_await std::move(applying);
  if (!done) done = egress_failure(std::move(done).error(), record);
  if (done) done = write_record(record);
  if (done && !policy.named.empty()) done = ensure_names(root, init, record.token);
  if (!done) {
    auto undoing = change_egress(std::move(names), before, policy, deadline_after(seconds(5)));
    (void)co_await std::move(undoing);
    record.net->egress = before;
    (void)write_record(record);
  }
  co_return done;
}

inline boost::asio::awaitable<result<sandbox_record>> change_sandbox_egress(sandbox_record mine, egress_policy policy,
                                                                            std::string root, std::string init,
                                                                            time_point deadline) {
  auto lock = co_await directory_lock::lock(mine.directory, deadline);
  if (!lock) co_return std::move(lock).error();
  auto record = read_egress_record(mine);
  if (!record) co_return record;
  if (record->net->nameservers.empty()) record->net->nameservers = read_resolver_config().nameservers;
  auto applying =
      past_cancellation(apply_egress(*record, std::move(policy), std::move(root), std::move(init), deadline));
  auto done = co_await std::move(applying);
  if (!done) co_return std::move(done).error();
  co_return std::move(*record);
}

}  // namespace detail

BERTH_DECL void write_members(json_writer& to, const sandbox_egress& egress) {
  to.key("egress").open_array();
  for (const std::string& word : egress.policy.words()) to.string(word);
  to.close_array().key("refused").unsigned_number(egress.refused).key("refused_places").open_array();
  for (const refused_place& place : egress.places) {
    to.open_object().key("to").string(place.to.to_string()).key("packets").unsigned_number(place.packets);
    to.key("seconds_ago").number(place.ago.count()).close_object();
  }
  to.close_array().key("addresses").open_array();
  for (const named_address& one : egress.addresses) {
    to.open_object().key("name").string(one.name).key("address").string(one.address).key("rule").string(one.rule);
    to.key("seconds_left").number(one.left.count()).close_object();
  }
  to.close_array().key("refused_names").open_array();
  for (const refused_name& one : egress.refused_names) {
    to.open_object().key("name").string(one.name).key("questions").unsigned_number(one.questions);
    to.key("seconds_ago").number(one.ago.count()).close_object();
  }
  to.close_array();
}

BERTH_DECL boost::asio::awaitable<result<sandbox_egress>> sandbox::egress(duration patience) {
  auto self = shared_from_this();
  auto record = detail::read_egress_record(record_);
  if (!record) co_return std::move(record).error();
  record_ = std::move(*record);
  const time_point deadline = deadline_after(patience);
  const egress_policy policy = *record_.net->egress;
  auto work = report_egress(record_.names(), policy.named, deadline);
  auto report = co_await cancellation_as_error(std::move(work));
  if (!report) co_return detail::egress_failure(std::move(report).error(), record_);
  sandbox_egress out{policy, report->refused, std::move(report->places), std::move(report->addresses), {}};
  if (!policy.named.empty()) out.refused_names = list_refused_names(root_, record_.token);
  co_return out;
}

BERTH_DECL boost::asio::awaitable<result<void>> sandbox::set_egress(egress_policy policy, duration patience) {
  auto self = shared_from_this();
  auto pool = parse_ipv4_subnet(where_.network_pool);
  if (!pool) co_return std::move(pool).error();
  BERTH_CO_TRY(check_egress(policy, *pool));
  auto init = policy.named.empty() ? std::string() : find_init(where_);
  if (!init) co_return std::move(init).error();
  auto work =
      detail::change_sandbox_egress(record_, std::move(policy), root_, std::move(*init), deadline_after(patience));
  auto record = co_await cancellation_as_error(std::move(work));
  if (!record) co_return std::move(record).error();
  record_ = std::move(*record);
  co_return result<void>();
}

}  // namespace berth
