// SPDX-License-Identifier: Apache-2.0
// `berth gc`: removes what killed processes left behind.
#include "loop.hpp"
#include "options/options.hpp"

#include <berth/snapshot/root_garbage.hpp>

namespace berth::cli {
namespace {

int act(invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const root_garbage removed = run_loop(collect_root_garbage(*where));
  std::string text;
  for (const std::string& id : removed.sandboxes.sandboxes) text += id + "\n";
  for (const orphan& one : removed.sandboxes.orphans)
    text += std::string(orphan_kind_name(one.kind)) + " " + one.name + (one.what.empty() ? "" : ", " + one.what) + "\n";
  for (const std::string& name : removed.pools) text += "pool " + name + "\n";
  if (removed.unfinished_snapshots != 0)
    text += "unfinished snapshots " + std::to_string(removed.unfinished_snapshots) + "\n";
  json_writer all(2);
  write_json(all, removed);
  const bool printed = call.common.json ? print_json(std::move(all)) : print_text(printable(text));
  if (removed.failed) return fail(*removed.failed, call);
  return printed ? exit_ok : exit_failed;
}

}  // namespace

void add_gc(CLI::App& app, invocation& call) {
  add_examples(app, {"berth gc", "berth gc --json"});
  app.callback([&call] { call.act = [&call] { return act(call); }; });
}

}  // namespace berth::cli
