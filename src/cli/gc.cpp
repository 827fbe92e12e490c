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
  std::vector<std::string> removed;
  const auto done = run_loop(collect_garbage(*where, &removed));
  std::string text;
  for (const std::string& id : removed) text += id + "\n";
  const bool printed =
      call.common.json ? print_json(json::object().set("removed", json::strings(removed))) : print_text(text);
  if (!done) return fail(done.error(), call);
  return printed ? exit_ok : exit_failed;
}

}  // namespace

void add_gc(CLI::App& app, invocation& call) {
  add_examples(app, {"berth gc", "berth gc --json"});
  app.callback([&call] { call.act = [&call] { return act(call); }; });
}

}  // namespace berth::cli
