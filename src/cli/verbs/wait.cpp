// SPDX-License-Identifier: Apache-2.0
// `berth wait`: until a sandbox, and Docker in it, is ready.
#include "lookup.hpp"
#include "loop.hpp"

namespace berth::cli {
namespace {

boost::asio::awaitable<result<void>> wait_until_ready(environment where, std::shared_ptr<sandbox> box, duration limit) {
  const auto purpose = read_purpose(box->record().directory);
  if (purpose && !purpose->docker) {
    const auto state = co_await box->state(limit);
    if (!state) co_return state.error();
    if (*state == sandbox_state::running) co_return result<void>();
    co_return make_error(errc::sandbox_not_running, "sandbox",
                         "the sandbox is " + std::string(sandbox_state_name(*state)), box->id());
  }
  co_return co_await wait_for_docker(std::move(where), box, limit);
}

int act(const std::string& id, const std::string& timeout, invocation& call) {
  const auto limit = parse_duration(timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  auto box = find_sandbox(*where, id);
  if (!box) return fail_lookup(box.error(), call);
  const time_point began = clock::now();
  // What the guest has to say of dockerd is for those who want to know more.
  const output_options how = call.common.output();
  where->log = how.level == log_level::debug ? stderr_sink(how) : log_sink();
  const auto ready = run_loop(wait_until_ready(*where, *box, *limit));
  if (!ready) return fail(ready.error(), call);
  if (!call.common.json) return exit_ok;
  const auto waited = std::chrono::duration_cast<milliseconds>(clock::now() - began).count();
  json_writer out(2);
  out.open_object().key("id").string(id).key("ready").boolean(true).key("waited_ms").number(waited).close_object();
  return print_json(std::move(out)) ? exit_ok : exit_failed;
}

}  // namespace

void add_wait(CLI::App& app, invocation& call) {
  auto id = std::make_shared<std::string>();
  auto timeout = std::make_shared<std::string>("30");
  app.add_option("ID", *id, "the sandbox")->required();
  app.add_option("--timeout", *timeout, "give up after this time, with exit code 3 (default: 30)")
      ->type_name("SECONDS");
  add_examples(app, {"berth wait box --timeout 60 && berth docker box -- ps"});
  app.callback([id, timeout, &call] { call.act = [id, timeout, &call] { return act(*id, *timeout, call); }; });
}

}  // namespace berth::cli
