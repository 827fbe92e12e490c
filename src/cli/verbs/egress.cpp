// SPDX-License-Identifier: Apache-2.0
// `berth egress`: where a sandbox may begin connections to, shown and changed while it runs.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/text.hpp>

namespace berth::cli {
namespace {

struct egress_call {
  std::string id;
  std::vector<std::string> change;  // "set" and the rules
};

boost::asio::awaitable<result<sandbox_egress>> change_and_show(std::shared_ptr<sandbox> box,
                                                               std::optional<egress_policy> policy) {
  if (policy) {
    auto changing = box->set_egress(std::move(*policy));
    auto changed = co_await std::move(changing);
    if (!changed) co_return std::move(changed).error();
  }
  auto asking = box->egress();
  co_return co_await std::move(asking);
}

int act(const egress_call& c, invocation& call) {
  std::optional<egress_policy> policy;
  if (!c.change.empty()) {
    if (c.change.front() != "set")
      return fail(usage_error(in_quotes(c.change.front()) + " is nothing to do with egress; to change it: set RULE..."),
                  call);
    const auto read = parse_egress({c.change.begin() + 1, c.change.end()});
    if (!read) return fail(usage_error(read.error(), "set"), call);
    policy = *read;
  }
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  const auto now = run_loop(change_and_show(*box, std::move(policy)));
  if (!now) return fail(now.error(), call);
  if (call.common.json) {
    json_writer out(2);
    write_members(out.open_object().key("id").string(c.id), *now);
    out.close_object();
    return print_json(std::move(out)) ? exit_ok : exit_failed;
  }
  std::string text = "egress: ";
  for (const std::string& word : now->policy.words()) text += " " + word;
  text += "\nrefused: " + counted(now->refused, "packet") + "\n";
  for (const refused_place& place : now->places) {
    text += "  " + place.to.to_string() + ": " + std::to_string(place.packets) + ", the last " +
            std::to_string(place.ago.count()) + " s ago\n";
  }
  for (const refused_name& one : now->refused_names) {
    text += "  " + one.name + ": " + counted(one.questions, "question") + ", the last " +
            std::to_string(one.ago.count()) + " s ago\n";
  }
  if (!now->addresses.empty()) text += "addresses:\n";
  for (const named_address& one : now->addresses) {
    text += "  " + one.name + " is " + one.address + ", by " + one.rule + ", for " + std::to_string(one.left.count()) +
            " s\n";
  }
  return print_text(text) ? exit_ok : exit_failed;
}

}  // namespace

void add_egress(CLI::App& app, invocation& call) {
  auto c = std::make_shared<egress_call>();
  app.add_option("ID", c->id, "the sandbox")->required();
  app.add_option("CHANGE", c->change,
                 "set RULE...: from now on it may begin connections to these only: all, none, or "
                 "ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp], the same with NAME or *.NAME, and dns")
      ->type_name("");
  add_examples(app,
               {"berth egress box", "berth egress box set none", "berth egress box set 10.0.0.0/8 192.0.2.7:443 dns",
                "berth egress box set 'example.com:443' '*.example.com:443'"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
