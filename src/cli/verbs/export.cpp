// SPDX-License-Identifier: Apache-2.0
// `berth export`: what a sandbox changed in its root file system, as a tar.
#include "interrupts.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <boost/asio/this_coro.hpp>

#include <filesystem>

namespace berth::cli {
namespace {

struct export_call {
  std::string id, output;
};

// The exit code, 128 + n after a signal, which leaves no half of a file.
boost::asio::awaitable<result<int>> write_changes(std::shared_ptr<sandbox> box, std::string path) {
  interrupts signals(co_await boost::asio::this_coro::executor);
  auto done = co_await until_interrupted(box->export_changes(std::move(path)), signals);
  if (done) co_return int{exit_ok};
  if (signals.first() != 0) co_return 128 + signals.first();
  co_return std::move(done).error();
}

int act(const export_call& c, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  std::error_code ignored;
  const std::string path = std::filesystem::absolute(c.output, ignored).string();
  const auto done = run_loop(write_changes(*box, path));
  if (!done) return fail(done.error(), call);
  if (*done != exit_ok) return *done;
  if (call.common.json) return print_member("file", path) ? exit_ok : exit_failed;
  return exit_ok;
}

}  // namespace

void add_export(CLI::App& app, invocation& call) {
  auto c = std::make_shared<export_call>();
  app.add_option("ID", c->id, "the sandbox")->required();
  app.add_option("-o,--output", c->output, "a new file on the host; overlayfs's terms: see docs/reference/command.md")
      ->required();
  add_examples(app, {"berth export box --output changes.tar"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
