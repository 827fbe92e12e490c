// SPDX-License-Identifier: Apache-2.0
// `berth pause` and `berth resume`: sandboxes that stay where they are, and take no CPU time.
#include "lookup.hpp"
#include "loop.hpp"

namespace berth::cli {
namespace {

struct pause_call {
  std::vector<std::string> ids;
  std::string timeout = "10";
};

boost::asio::awaitable<result<void>> change(std::shared_ptr<sandbox> box, bool paused, duration patience) {
  auto work = paused ? box->pause(patience) : box->resume(patience);
  co_return co_await std::move(work);
}

int act(const pause_call& c, bool paused, invocation& call) {
  const auto limit = parse_duration(c.timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  int code = exit_ok;
  std::vector<std::string> changed;
  std::string text;
  for (const std::string& id : c.ids) {
    const auto box = find_sandbox(*where, id);
    const auto done = box ? run_loop(change(*box, paused, *limit)) : result<void>(box.error());
    if (done) {
      changed.push_back(id);
      text += id + "\n";
      continue;
    }
    const int failed = fail_lookup(done.error(), call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const bool printed = call.common.json ? print_member(paused ? "paused" : "resumed", changed) : print_text(text);
  return printed ? code : int{exit_failed};
}

void add(CLI::App& app, invocation& call, bool paused, const char* example) {
  auto c = std::make_shared<pause_call>();
  app.add_option("ID", c->ids, "the sandboxes")->required();
  app.add_option("--timeout", c->timeout, "how long one may take (default: 10)")->type_name("SECONDS");
  add_examples(app, {example});
  app.callback([c, paused, &call] { call.act = [c, paused, &call] { return act(*c, paused, call); }; });
}

}  // namespace

void add_pause(CLI::App& app, invocation& call) { add(app, call, true, "berth pause box"); }

void add_resume(CLI::App& app, invocation& call) { add(app, call, false, "berth resume box"); }

}  // namespace berth::cli
