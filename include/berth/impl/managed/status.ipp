// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/base/text.hpp>
#include <berth/docker/guest_daemon.hpp>
#include <berth/managed/status.hpp>
#include <berth/network/network.hpp>
#include <berth/sandbox/exit_reason.hpp>
#include <berth/sandbox/process_identity.hpp>
#include <berth/sandbox/sandbox.hpp>

#include <chrono>

namespace berth {

BERTH_DECL bool sandbox_status::wants_docker() const noexcept {
  return (purpose && purpose->docker) || (guest && guest->docker.state != daemon_state::disabled);
}

BERTH_DECL daemon_status sandbox_status::docker() const {
  daemon_status now = guest ? guest->docker : daemon_status();
  if (!wants_docker()) return now;
  const bool is_over =
      state == sandbox_state_name(sandbox_state::stopped) || state == sandbox_state_name(sandbox_state::lost);
  if (is_over && now.state != daemon_state::failed) now.state = daemon_state::stopped;
  else if (!guest) now.state = daemon_state::starting;
  return now;
}

BERTH_DECL std::string_view sandbox_status::command_state() const {
  if (guest && guest->command) return kept_command_state_name(guest->command->now);
  if (!purpose || purpose->command.empty()) return "none";
  // In the foreground it is run from outside, once Docker is ready.
  const bool before = purpose->docker && docker().state != daemon_state::ready;
  return kept_command_state_name(before || purpose->detached ? kept_command::state::waiting
                                                             : kept_command::state::running);
}

BERTH_DECL boost::asio::awaitable<result<sandbox_status>> look_at(environment where, sandbox_record record,
                                                                  status_options options) {
  sandbox_status out;
  out.record = std::move(record);
  out.state = "damaged";
  if (out.record.damaged) co_return out;
  auto box = sandbox::attach(std::move(where), out.record.id);
  if (!box && box.error().code == errc::not_found) co_return std::move(box).error();
  out.state = "unknown";
  if (box) {
    auto asking = (*box)->state(options.patience);
    const auto state = co_await std::move(asking);
    if (!state && state.error().code == errc::not_found) co_return state.error();
    if (state) out.state = sandbox_state_name(*state);
    else if (state.error().code == errc::record_damaged) out.state = "damaged";
    out.record = (*box)->record();
    const bool proved = options.patience >= milliseconds(500) || is_stopped(out.record.sandbox_process);
    if (state && *state == sandbox_state::unresponsive && !proved)
      out.state = sandbox_state_name(sandbox_state::running);
  }
  if (auto purpose = read_purpose(out.record.directory)) out.purpose = std::move(*purpose);
  if (auto guest = read_guest_status(out.record)) out.guest = std::move(*guest);
  if (!options.count_refused || !out.record.net) co_return out;
  const record_network net = *out.record.net;
  if (net.max_connections != 0) {
    auto asking = count_refused_connections(out.record.names(), deadline_after(seconds(5)));
    if (const auto count = co_await std::move(asking)) out.refused_connections = *count;
  }
  if (net.egress) {
    auto asking = count_refused_egress(out.record.names(), deadline_after(seconds(5)));
    if (const auto count = co_await std::move(asking)) out.refused_egress = *count;
  }
  co_return out;
}

namespace detail {

inline double in_ms(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

inline void write_failure(berth::json_writer& to, const daemon_failure& failure) {
  const error why = failure.to_error();
  to.open_object().key("code").number(static_cast<int>(why.code)).key("phase").string(failure.phase);
  to.key("message").string(why.message).key("reason").string(failure.reason);
  to.key("elapsed_ms").decimal(in_ms(failure.elapsed)).key("attempts").unsigned_number(failure.attempts);
  to.key("exit_code");
  if (failure.exited && failure.exited->signal == 0) to.number(failure.exited->code);
  else to.null();
  to.key("signal");
  if (failure.exited && failure.exited->signal != 0) to.number(failure.exited->signal);
  else to.null();
  to.key("last_probe").string(failure.last_probe).key("output").string(failure.tail);
  to.key("hint_id").string(failure.hint_id).key("hint").string(why.hint).close_object();
}

inline void write_members(berth::json_writer& to, const daemon_status& status) {
  to.key("state").string(daemon_state_name(status.state)).key("pid").number(status.pid);
  to.key("ready_after_ms").decimal(in_ms(status.ready_after)).key("restarts").unsigned_number(status.restarts);
  to.key("failure");
  if (status.failure) write_failure(to, *status.failure);
  else to.null();
}

inline void write_count(berth::json_writer& to, std::string_view key, const std::optional<std::uint64_t>& count) {
  to.key(key);
  if (count) to.unsigned_number(*count);
  else to.null();
}

inline void write_network(berth::json_writer& to, const sandbox_status& status) {
  const sandbox_record& r = status.record;
  to.key("network").open_object().key("mode").string(network_mode_name(r.network)).key("path").string(r.network_path);
  to.key("address").string(r.net ? r.net->address() : std::string());
  to.key("gateway").string(r.net ? r.net->gateway() : std::string());
  to.key("mtu").number(r.net ? r.net->mtu : 0);
  to.key("max_connections").unsigned_number(r.net ? r.net->max_connections : 0);
  write_count(to, "refused_connections", status.refused_connections);
  to.key("egress").open_array();
  if (r.net && r.net->egress)
    for (const std::string& rule : r.net->egress->words()) to.string(rule);
  to.close_array();
  write_count(to, "refused_egress", status.refused_egress);
  to.key("ports").open_array();
  if (r.net)
    for (const published_port& port : r.net->ports) to.string(port.word());
  to.close_array();
  to.key("host_ports").open_array();
  if (r.net)
    for (const host_port& port : r.net->host_ports) to.string(port.word());
  to.close_array();
  to.key("rules");
  if (status.rules) to.boolean(*status.rules);
  else to.null();
  to.close_object();
}

inline void write_command(berth::json_writer& to, const sandbox_status& status) {
  to.key("command").open_object().key("argv").open_array();
  if (status.purpose)
    for (const std::string& word : status.purpose->command) to.string(word);
  to.close_array().key("state").string(status.command_state()).key("exit_code");
  if (status.guest && status.guest->command && status.guest->command->now == kept_command::state::exited)
    to.number(status.guest->command->exit_code);
  else to.null();
  to.close_object();
}

}  // namespace detail

BERTH_DECL void write_json(json_writer& to, const daemon_status& status) {
  to.open_object();
  detail::write_members(to, status);
  to.close_object();
}

BERTH_DECL void write_json(json_writer& to, const sandbox_status& status) {
  const sandbox_record& r = status.record;
  to.open_object().key("id").string(r.id).key("state").string(status.state);
  to.key("exit_reason").string(exit_reason_name(find_exit_reason(r)));
  to.key("memory_kills").unsigned_number(count_memory_kills(r)).key("damage").string(r.damage);
  to.key("created").string(r.damaged ? std::string() : format_utc(r.created_ms));
  to.key("phase").string(r.damaged ? std::string_view() : record_phase_name(r.phase));
  to.key("rootfs").string(r.rootfs).key("hostname").string(r.hostname);
  detail::write_network(to, status);
  to.key("cpus").real(r.cpus).key("memory_bytes").unsigned_number(r.memory_bytes);
  to.key("pid").number(!r.damaged && r.process_alive() ? r.sandbox_process.pid : 0);
  const process_identity& whose = r.owner ? r.owner : r.creator;
  to.key("creator").open_object().key("pid").number(whose.pid);
  to.key("alive").boolean(!r.damaged && r.boot_id == read_boot_id() && whose.alive()).close_object();
  to.key("runsc").string(r.runsc).key("container_id").string(r.damaged ? std::string() : r.container_id());
  to.key("directory").string(r.directory).key("shared").string(r.damaged ? std::string() : r.shared());
  to.key("logs").string(r.damaged ? std::string() : r.logs()).key("annotations").open_object();
  for (const auto& [key, value] : r.annotations) to.key(key).string(value);
  to.close_object().key("detached").boolean(!status.purpose || status.purpose->detached);
  to.key("docker").open_object().key("wanted").boolean(status.wants_docker());
  detail::write_members(to, status.docker());
  to.close_object();
  detail::write_command(to, status);
  to.close_object();
}

}  // namespace berth
