// SPDX-License-Identifier: Apache-2.0
// `berth gc`: removes what killed processes left behind.
#include "loop.hpp"
#include "options/options.hpp"

#include <berth/sandbox/sandbox.hpp>
#include <berth/snapshot/pool.hpp>

namespace berth::cli {
namespace {

int act(invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  collected_garbage removed;
  const auto done = run_loop(collect_garbage(*where, &removed));
  const auto unfinished = remove_unfinished_snapshots(*where);
  const auto pools = run_loop(collect_pools(*where));
  if (pools) removed.sandboxes.insert(removed.sandboxes.end(), pools->sandboxes.begin(), pools->sandboxes.end());
  std::string text;
  for (const std::string& id : removed.sandboxes) text += id + "\n";
  json_writer all(2);
  write_strings(all.open_object().key("removed"), removed.sandboxes);
  all.key("orphans").open_array();
  for (const orphan& one : removed.orphans) {
    text += std::string(orphan_kind_name(one.kind)) + " " + one.name + (one.what.empty() ? "" : ", " + one.what) + "\n";
    all.open_object().key("kind").string(orphan_kind_name(one.kind)).key("name").string(one.name);
    if (!one.what.empty()) all.key("what").string(one.what);
    all.close_object();
  }
  const int half_snapshots = unfinished ? *unfinished : 0;
  for (const std::string& name : pools ? pools->pools : std::vector<std::string>()) text += "pool " + name + "\n";
  if (half_snapshots != 0) text += "unfinished snapshots " + std::to_string(half_snapshots) + "\n";
  all.close_array().key("unfinished_snapshots").number(half_snapshots);
  write_strings(all.key("pools"), pools ? pools->pools : std::vector<std::string>());
  all.close_object();
  const bool printed = call.common.json ? print_json(std::move(all)) : print_text(printable(text));
  if (!done) return fail(done.error(), call);
  if (!unfinished) return fail(unfinished.error(), call);
  if (!pools) return fail(pools.error(), call);
  return printed ? exit_ok : exit_failed;
}

}  // namespace

void add_gc(CLI::App& app, invocation& call) {
  add_examples(app, {"berth gc", "berth gc --json"});
  app.callback([&call] { call.act = [&call] { return act(call); }; });
}

}  // namespace berth::cli
