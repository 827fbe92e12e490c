// SPDX-License-Identifier: Apache-2.0
// `berth events`: what happened in a sandbox.
#include "interrupts.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <boost/asio/this_coro.hpp>

#include <ctime>

namespace berth::cli {
namespace {

struct events_call {
  std::string id;
  bool follow = false;
};

std::string format_event(const sandbox_event& event, bool as_json) {
  if (as_json) return format_sandbox_event(event) + "\n";
  const std::time_t at = event.at_ms / 1000;
  std::tm utc{};
  char when[40] = "?";
  if (::gmtime_r(&at, &utc) != nullptr) std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return std::string(when) + " " + std::string(sandbox_event_name(event.what)) + " " + printable(event.message, false) +
         "\n";
}

// The exit code; a signal ends it well, since there is no other end.
boost::asio::awaitable<result<int>> show(environment where, std::shared_ptr<sandbox> box, bool follow, bool as_json) {
  interrupts signals(co_await boost::asio::this_coro::executor);
  docker_sandbox docker(std::move(where), std::move(box));
  bool printed = true;
  std::function<void(const sandbox_event&)> tell = [&printed, as_json](const sandbox_event& event) {
    printed = printed && print_text(format_event(event, as_json));
  };
  auto watching = docker.events(std::move(tell), follow);
  auto done = co_await until_interrupted(std::move(watching), signals);
  if (!printed) co_return int{exit_failed};
  if (done) co_return int{exit_ok};
  if (signals.first() != 0) co_return 128 + signals.first();
  if (follow && done.error().code == errc::sandbox_not_running) co_return int{exit_ok};
  co_return std::move(done).error();
}

int act(const events_call& c, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  const auto done = run_loop(show(*where, *box, c.follow, call.common.json));
  return done ? *done : fail(done.error(), call);
}

}  // namespace

void add_events(CLI::App& app, invocation& call) {
  auto c = std::make_shared<events_call>();
  app.add_option("ID", c->id, "the sandbox")->required();
  app.add_flag("-f,--follow", c->follow, "go on with what happens from now on, until it ends");
  add_examples(app, {"berth events box", "berth events --follow --json box"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
