// SPDX-License-Identifier: Apache-2.0
// `berth rm`: ends sandboxes and removes all that belongs to them.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/managed/docker_sandbox.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
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

struct removals {
  std::vector<removal> list;
  std::size_t next = 0;
};

boost::asio::awaitable<void> end_in_turn(removals& all, const environment& where, terminate_options how) {
  while (all.next < all.list.size()) {
    removal& r = all.list[all.next++];
    if (!r.box) continue;
    docker_sandbox box(where, r.box);
    auto ending = box.terminate(how);
    auto gone = co_await std::move(ending);
    if (!gone) r.failure = std::move(gone).error();
  }
}

// Side by side, but not all of a hundred: they take each other's time.
void remove_all(removals& all, const environment& where, terminate_options how) {
  constexpr std::size_t at_once = 16;
  boost::asio::io_context loop(1);
  for (std::size_t i = 0; i < std::min(at_once, all.list.size()); ++i)
    boost::asio::co_spawn(loop, end_in_turn(all, where, how), boost::asio::detached);
  loop.run();
}

// Which one it was, and that what is left of it can be removed yet.
error told_of(const removal& r) {
  error e = *r.failure;
  if (!r.box) return e;
  if (e.message.find(r.id) == std::string::npos && e.path != r.id) e.message = r.id + ": " + e.message;
  if (e.code == errc::timeout && e.hint.empty()) e.hint = "what is left of it goes by `berth rm " + r.id + "`";
  return e;
}

int act(const rm_call& c, invocation& call) {
  const auto limit = parse_duration(c.timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;

  int code = exit_ok;
  removals all;
  for (const std::string& id : c.ids) {
    removal r;
    r.id = id;
    auto box = find_sandbox(*where, id);
    if (box) {
      r.box = std::move(*box);
    } else {
      r.failure = std::move(box).error();
    }
    all.list.push_back(std::move(r));
  }
  remove_all(all, *where, {.force = c.force, .timeout = *limit});

  std::vector<std::string> removed;
  std::string text;
  for (const removal& r : all.list) {
    if (!r.failure) {
      removed.push_back(r.id);
      text += r.id + "\n";
      continue;
    }
    const int failed = fail_lookup(told_of(r), call);
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
