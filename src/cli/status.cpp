// `berth status`: one sandbox in full.
#include "lookup.hpp"
#include "loop.hpp"
#include "sandbox_rules.hpp"

namespace berth::cli {
namespace {

void add_line(std::string& out, std::string_view name, const std::string& value) {
  out += std::string(name) + ":";
  out.append(name.size() < 11 ? 11 - name.size() : 1, ' ');
  out += printable(value) + "\n";
}

std::string text_of(const sandbox_view& view) {
  const sandbox_record& r = view.record;
  std::string out;
  add_line(out, "id", r.id);
  add_line(out, "state", view.state);
  if (r.damaged) {
    add_line(out, "damage", r.damage);
    return out;
  }
  add_line(out, "created", format_time(r.created_ms));
  add_line(out, "rootfs", r.rootfs);
  add_line(out, "network", std::string(network_mode_name(r.network)) +
                               (r.net ? ", address " + r.net->address() + ", gateway " + r.net->gateway() : "") +
                               (r.network_path.empty() ? "" : ", " + r.network_path));
  if (view.rules == false) add_line(out, "  rules", "GONE, nothing isolates it: remove it, and see berth doctor");
  add_line(out, "cpus", r.cpus > 0 ? json(r.cpus).dump() : "no limit");
  add_line(out, "memory", r.memory_bytes > 0 ? format_bytes(r.memory_bytes) : "no limit");
  add_line(out, "process", std::to_string(r.sandbox_process.pid) + " on the host" +
                               (r.process_alive() ? "" : ", which is gone"));
  add_line(out, "directory", r.directory);
  if (!view.status) {
    add_line(out, "kept by", std::to_string(r.creator.pid) + (r.boot_id == read_boot_id() && r.creator.alive() ? "" : ", which is gone"));
    return out;
  }
  const status_report& s = *view.status;
  add_line(out, "kept by", std::to_string(s.keeper.pid) + (s.detached ? " (monitor)" : " (berth run)") +
                               (s.keeper.alive() ? "" : ", which is gone"));
  std::string docker = docker_word(view);
  if (docker == daemon_state_name(daemon_state::ready))
    docker += ", took " + format_seconds(static_cast<double>(s.ready_after_ms) / 1000) + ", pid " +
              std::to_string(s.docker_pid) + " inside";
  if (s.restarts > 0) docker += ", restarted " + std::to_string(s.restarts) + " times";
  add_line(out, "docker", docker);
  if (s.failure) {
    add_line(out, "  failure", s.failure->why.message);
    if (!s.failure->why.hint.empty()) add_line(out, "  remedy", s.failure->why.hint);
  }
  if (!s.command.empty()) {
    std::string command;
    for (const std::string& word : s.command) command += (command.empty() ? "" : " ") + word;
    add_line(out, "command", command);
    add_line(out, "  state", std::string(command_state_name(s.command_is)) +
                                 (s.command_is == command_state::exited ? " with " + std::to_string(s.exit_code) : ""));
  }
  return out;
}

int act(const std::string& id, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, id);
  if (!box) return fail_lookup(box.error(), call);
  sandbox_view view = run_loop(view_sandbox(*where, (*box)->record()));
  if (needs_rules(view.record))
    if (const auto bare = find_without_rules({view.record})) view.rules = bare->empty();
  const bool printed = call.common.json ? print_json(view_json(view)) : print_text(text_of(view));
  return printed ? exit_ok : exit_failed;
}

}  // namespace

void add_status(CLI::App& app, invocation& call) {
  auto id = std::make_shared<std::string>();
  app.add_option("ID", *id, "the sandbox")->required();
  add_examples(app, {"berth status box", "berth status box --json | jq .docker.state"});
  app.callback([id, &call] { call.act = [id, &call] { return act(*id, call); }; });
}

}  // namespace berth::cli
