// SPDX-License-Identifier: Apache-2.0
// `berth stats`: what a sandbox's containers take.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/managed/docker_sandbox.hpp>

#include <chrono>

namespace berth::cli {
namespace {

int show_stats(const std::string& id, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto found = find_sandbox(*where, id);
  if (!found) return fail_lookup(found.error(), call);
  docker_sandbox box(*where, *found);
  const auto all = run_loop(box.container_stats(deadline_after(seconds(30))));
  if (!all) return fail(all.error(), call);
  if (call.common.json) {
    json_writer out(2);
    write_json(out, *all);
    return print_json(std::move(out)) ? exit_ok : exit_failed;
  }
  std::vector<std::vector<std::string>> rows;
  for (const container_stats& one : *all) {
    const auto bytes = [](const std::optional<std::uint64_t>& n) { return n ? format_bytes(*n) : std::string("-"); };
    rows.push_back({one.container.substr(0, 12), one.name, bytes(one.memory_bytes), bytes(one.memory_limit_bytes),
                    one.cpu_ns ? format_seconds(static_cast<double>(*one.cpu_ns) / 1e9) : "-",
                    one.processes ? std::to_string(*one.processes) : "-"});
  }
  const std::vector<std::string> head{"CONTAINER", "NAME", "MEMORY", "LIMIT", "CPU", "PROCESSES"};
  return print_text(format_table(head, rows)) ? exit_ok : exit_failed;
}

}  // namespace

void add_stats(CLI::App& app, invocation& call) {
  auto id = std::make_shared<std::string>();
  app.add_option("ID", *id, "the sandbox")->required();
  add_examples(app, {"berth stats box", "berth stats box --json | jq '.[].memory_bytes'"});
  app.callback([id, &call] { call.act = [id, &call] { return show_stats(*id, call); }; });
}

}  // namespace berth::cli
