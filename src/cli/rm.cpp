// SPDX-License-Identifier: Apache-2.0
// `berth rm`: ends sandboxes and removes all that belongs to them.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/managed/docker_sandbox.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::cli {
namespace {

struct rm_call {
  std::vector<std::string> ids;
  bool force = false;
  std::string timeout = "45";
};

// One sandbox on its way out.
struct removal {
  std::string id;
  std::shared_ptr<sandbox> box;
  std::optional<error> failure;
};

boost::asio::awaitable<void> end_one(docker_sandbox box, terminate_options how, std::optional<error>& failure) {
  auto ending = box.terminate(how);
  auto gone = co_await std::move(ending);
  if (!gone) failure = std::move(gone).error();
}

// Side by side, and each is told at once.
void remove_all(std::vector<removal>& list, const environment& where, terminate_options how) {
  boost::asio::io_context loop(1);
  for (removal& r : list) {
    if (r.box) boost::asio::co_spawn(loop, end_one({where, r.box}, how, r.failure), boost::asio::detached);
  }
  loop.run();
}

int act(const rm_call& c, invocation& call) {
  const auto limit = parse_duration(c.timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;

  int code = exit_ok;
  std::vector<removal> list;
  for (const std::string& id : c.ids) {
    removal r;
    r.id = id;
    auto box = find_sandbox(*where, id);
    if (box) {
      r.box = std::move(*box);
    } else {
      r.failure = std::move(box).error();
    }
    list.push_back(std::move(r));
  }
  remove_all(list, *where, {.force = c.force, .timeout = *limit});

  std::vector<std::string> removed;
  std::string text;
  for (const removal& r : list) {
    if (!r.failure) {
      removed.push_back(r.id);
      text += r.id + "\n";
      continue;
    }
    const int failed = fail_lookup(*r.failure, call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const bool printed = call.common.json ? print_member("removed", removed) : print_text(text);
  return printed ? code : int{exit_failed};
}

}  // namespace

void add_rm(CLI::App& app, invocation& call) {
  auto c = std::make_shared<rm_call>();
  app.add_option("ID", c->ids, "the sandboxes")->required();
  add_from_table(app, "terminate.force", c->force);
  add_from_table(app, "terminate.timeout_ms", c->timeout);
  add_examples(app, {"berth rm box", "berth rm $(berth ls --ids)"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
