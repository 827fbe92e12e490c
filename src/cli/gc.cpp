// `berth gc`: removes what killed processes left behind.
#include "loop.hpp"
#include "options.hpp"

#include <berth/sandbox/sandbox.hpp>

namespace berth::cli {
namespace {

int act(invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto removed = run_loop(collect_garbage(*where));
  if (!removed) return fail(removed.error(), call);
  if (call.common.json)
    return print_json(json::object().set("removed", json::strings(*removed))) ? exit_ok : exit_failed;
  std::string text;
  for (const std::string& id : *removed) text += id + "\n";
  return print_text(text) ? exit_ok : exit_failed;
}

}  // namespace

void add_gc(CLI::App& app, invocation& call) {
  add_examples(app, {"berth gc", "berth gc --json"});
  app.callback([&call] { call.act = [&call] { return act(call); }; });
}

}  // namespace berth::cli
