// SPDX-License-Identifier: Apache-2.0
// `berth pause`, `berth hibernate` and `berth resume`: sandboxes that stay where they are and take no CPU time, or no memory either.
#include "lookup.hpp"
#include "loop.hpp"

namespace berth::cli {
namespace {

struct pause_call {
  std::vector<std::string> ids;
  std::string timeout = "10";
};

enum class change { pause, hibernate, resume };

boost::asio::awaitable<result<void>> make_change(std::shared_ptr<sandbox> box, change what, duration patience) {
  auto work = what == change::pause    ? box->pause(patience)
              : what == change::resume ? box->resume(patience)
                                       : box->hibernate(duration::zero(), patience);
  co_return co_await std::move(work);
}

int act(const pause_call& c, change what, invocation& call) {
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
    const auto done = box ? run_loop(make_change(*box, what, *limit)) : result<void>(box.error());
    if (done) {
      changed.push_back(id);
      text += id + "\n";
      continue;
    }
    const int failed = fail_lookup(done.error(), call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const char* done = what == change::pause ? "paused" : what == change::resume ? "resumed" : "hibernated";
  const bool printed = call.common.json ? print_member(done, changed) : print_text(text);
  return printed ? code : int{exit_failed};
}

void add(CLI::App& app, invocation& call, change what, const char* example) {
  auto c = std::make_shared<pause_call>();
  if (what == change::hibernate) c->timeout = "120";
  app.add_option("ID", c->ids, "the sandboxes")->required();
  app.add_option("--timeout", c->timeout, "how long one may take (default: " + c->timeout + ")")->type_name("SECONDS");
  add_examples(app, {example});
  app.callback([c, what, &call] { call.act = [c, what, &call] { return act(*c, what, call); }; });
}

}  // namespace

void add_pause(CLI::App& app, invocation& call) { add(app, call, change::pause, "berth pause box"); }

void add_hibernate(CLI::App& app, invocation& call) { add(app, call, change::hibernate, "berth hibernate box"); }

void add_resume(CLI::App& app, invocation& call) { add(app, call, change::resume, "berth resume box"); }

}  // namespace berth::cli
