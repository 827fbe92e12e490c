// SPDX-License-Identifier: Apache-2.0
// `berth status`: one sandbox in full.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/text.hpp>
#include <berth/managed/sandbox_rules.hpp>
#include <berth/network/network.hpp>

namespace berth::cli {
namespace {

void add_line(std::string& out, std::string_view name, const std::string& value) {
  out += std::string(name) + ":";
  out.append(name.size() < 11 ? 11 - name.size() : 1, ' ');
  out += printable(value) + "\n";
}

std::string text_of(const sandbox_status& view) {
  const sandbox_record& r = view.record;
  std::string out;
  add_line(out, "id", r.id);
  add_line(out, "state", view.state);
  if (r.damaged) {
    add_line(out, "damage", r.damage);
    return out;
  }
  if (find_exit_reason(r) == exit_reason::out_of_memory)
    add_line(out, "  reason", "out_of_memory: killed at its memory limit, give it more by --memory");
  else if (const std::uint64_t kills = count_memory_kills(r); kills > 0)
    add_line(out, "killed", std::to_string(kills) + " of its programs, at its memory limit: give it more by --memory");
  add_line(out, "created", format_utc(r.created_ms));
  add_line(out, "rootfs", r.rootfs);
  add_line(out, "network",
           std::string(network_mode_name(r.network)) +
               (r.net ? ", address " + r.net->address() + ", gateway " + r.net->gateway() : "") +
               (r.network_path.empty() ? "" : ", " + r.network_path));
  if (r.net && r.net->egress) {
    std::string egress;
    for (const std::string& word : r.net->egress->words()) egress += (egress.empty() ? "" : " ") + word;
    if (view.refused_egress.value_or(0) != 0) egress += ", " + counted(*view.refused_egress, "packet") + " refused";
    add_line(out, "  egress", egress);
  }
  if (r.net)
    for (const published_port& port : r.net->ports) add_line(out, "  port", port.word());
  if (r.net)
    for (const host_port& port : r.net->host_ports)
      add_line(out, "  may reach", "port " + port.word() + " of this host");
  if (view.rules == false) add_line(out, "  rules", "GONE, nothing isolates it: remove it, and see berth doctor");
  if (view.refused_connections.value_or(0) != 0)
    add_line(out, "  refused",
             std::to_string(*view.refused_connections) + " new connections, since it holds " +
                 std::to_string(r.net->max_connections) + " (berth run --max-connections)");
  add_line(out, "cpus", r.cpus > 0 ? json_writer().real(r.cpus).take() : "no limit");
  add_line(out, "memory", r.memory_bytes > 0 ? format_bytes(r.memory_bytes) : "no limit");
  add_line(out, "process",
           r.is_hibernated()
               ? "none: it is on the disk, and goes on at its next use"
               : std::to_string(r.sandbox_process.pid) + " on the host" + (r.process_alive() ? "" : ", which is gone"));
  add_line(out, "directory", r.directory);
  const process_identity& whose = r.owner ? r.owner : r.creator;
  if (r.ends_with_creator || r.owner) {
    const bool alive = r.boot_id == read_boot_id() && whose.alive();
    add_line(out, "ends with", "process " + std::to_string(whose.pid) + (alive ? "" : ", which is gone"));
  }
  if (!view.purpose && !view.guest) return out;
  const daemon_status now = view.docker();
  std::string docker = docker_word(view);
  if (docker == daemon_state_name(daemon_state::ready))
    docker += ", took " + format_seconds(std::chrono::duration<double>(now.ready_after).count()) + ", pid " +
              std::to_string(now.pid) + " inside";
  if (now.restarts > 0) docker += ", restarted " + counted(now.restarts, "time");
  add_line(out, "docker", docker);
  if (now.failure) {
    const error why = now.failure->to_error();
    add_line(out, "  failure", why.message);
    if (!why.hint.empty()) add_line(out, "  remedy", in_own_words(why.hint));
  }
  if (view.purpose && !view.purpose->command.empty()) {
    std::string command;
    for (const std::string& word : view.purpose->command) command += (command.empty() ? "" : " ") + word;
    add_line(out, "command", command);
    const std::string state(view.command_state());
    const bool exited = view.guest && view.guest->command && view.guest->command->now == kept_command::state::exited;
    add_line(out, "  state", state + (exited ? " with " + std::to_string(view.guest->command->exit_code) : ""));
  }
  return out;
}

int show_status(const std::string& id, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, id);
  if (!box) return fail_lookup(box.error(), call);
  sandbox_status view = run_loop(view_sandbox(*where, (*box)->record(), {.patience = seconds(1)}));
  if (needs_rules(view.record))
    if (const auto bare = find_without_rules({view.record})) view.rules = bare->empty();
  if (view.rules == true && view.record.net->max_connections != 0)
    if (const auto refused = run_loop(count_refused_connections(view.record.names(), deadline_after(seconds(5)))))
      view.refused_connections = *refused;
  if (view.rules == true && view.record.net->egress)
    if (const auto refused = run_loop(count_refused_egress(view.record.names(), deadline_after(seconds(5)))))
      view.refused_egress = *refused;
  if (!call.common.json) return print_text(text_of(view)) ? exit_ok : exit_failed;
  json_writer out(2);
  write_json(out, view);
  return print_text(out.take() + '\n') ? exit_ok : exit_failed;
}

}  // namespace

void add_status(CLI::App& app, invocation& call) {
  auto id = std::make_shared<std::string>();
  app.add_option("ID", *id, "the sandbox")->required();
  add_examples(app, {"berth status box", "berth status box --json | jq .docker.state"});
  app.callback([id, &call] { call.act = [id, &call] { return show_status(*id, call); }; });
}

}  // namespace berth::cli
