// SPDX-License-Identifier: Apache-2.0
// `berth pool`: copies of a snapshot that run and wait to be taken.
//
// No process stays for a pool. Who takes one leaves a `berth pool refill` behind, which makes what is missing and ends; of several
// one does the work.
#include "interrupts.hpp"
#include "loop.hpp"
#include "progress.hpp"
#include "run/run_steps.hpp"
#include "ticker.hpp"

#include <berth/base/text.hpp>
#include <berth/process/spawn.hpp>
#include <berth/snapshot/pool.hpp>

#include <boost/asio/this_coro.hpp>

#include <filesystem>
#include <system_error>

namespace berth::cli {
namespace {

struct pool_call {
  std::string name, snapshot, rate = "0", ends_with;
  std::vector<std::string> names;
  int size = 4, at_once = 2;
  bool no_wait = false, names_only = false, background = false;
};

int fail_pool(const error& e, const invocation& call) {
  const int code = fail(e, call);
  return e.code == errc::not_found && e.layer == "pool" ? int{exit_not_found} : code;
}

// Goes on when this process has ended.
result<void> refill_in_background(const environment& where, const std::string& name) {
  std::error_code failed;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", failed).string();
  if (failed) return errno_error(failed.value(), "cli", "cannot find the running program");
  spawn_options options;
  options.argv = {self, "pool", "refill", name, "--root", where.root};
  if (!where.runsc.empty()) options.argv.insert(options.argv.end(), {"--runsc", where.runsc});
  options.env = own_environment();
  options.new_session = true;
  auto begun = spawn(options);
  if (!begun) return std::move(begun).error();
  return {};
}

// Whatever becomes of it, the sandbox was taken.
void refill_after_taking(const environment& where, const std::string& name) {
  if (auto begun = refill_in_background(where, name); !begun)
    log(where.log, log_level::warn, "the pool is not filled up again",
        {{"pool", name}, {"error", begun.error().to_string()}, {"remedy", "berth pool refill " + name}});
}

boost::asio::awaitable<result<int>> start(environment where, pool_settings settings, bool wait, progress& bar) {
  const auto loop = co_await boost::asio::this_coro::executor;
  interrupts signals(loop);
  const ticker ticking(loop, bar);
  auto starting = sandbox_pool::start(where, settings);
  auto pool = co_await std::move(starting);
  if (!pool) co_return std::move(pool).error();
  if (!wait) {
    BERTH_CO_TRY(refill_in_background(where, settings.name));
    co_return int{exit_ok};
  }
  bar.start("filling the pool");
  auto filling = pool->refill();
  const auto filled = co_await until_interrupted(std::move(filling), signals);
  bar.stop();
  if (filled) co_return int{exit_ok};
  if (signals.first() != 0) co_return 128 + signals.first();
  co_return filled.error();
}

int act_start(const pool_call& c, const environment& found, const invocation& call) {
  pool_settings settings;
  settings.name = c.name;
  settings.snapshot = c.snapshot;
  settings.rate.size = c.size;
  settings.rate.at_once = c.at_once;
  const auto rate = berth::parse_number<double>(c.rate);
  if (!rate) return fail(usage_error(in_quotes(c.rate) + " is no number of sandboxes a minute", "--rate"), call);
  settings.rate.per_minute = *rate;
  if (!c.ends_with.empty()) {
    const auto pid = berth::parse_number<pid_t>(c.ends_with);
    if (pid && *pid > 0) settings.owner = process_identity::of(*pid);
    if (!settings.owner.alive())
      return fail(usage_error("there is no process " + in_quotes(c.ends_with), "--ends-with"), call);
  }
  if (const auto good = check_pool_settings(settings); !good)
    return fail(usage_error(good.error(), good.error().path), call);
  if (const auto refused = need_root(call)) return *refused;
  environment where = found;
  progress bar(call.common.output());
  where.log = bar.sink();
  const auto done = run_loop(start(where, settings, !c.no_wait, bar));
  if (!done) return fail_pool(done.error(), call);
  if (*done != exit_ok) return *done;
  const auto now = find_pool(where, c.name);
  if (!now) return fail_pool(now.error(), call);
  return (call.common.json ? print_text(format_pool(*now) + "\n") : print_text(c.name + "\n")) ? exit_ok : exit_failed;
}

int act_take(run_call& c, const invocation& call) {
  c.detach = c.wait = true;
  auto plan = plan_run(c, call);
  if (!plan) return fail(plan.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const environment where = plan->where;
  const auto there = sandbox_pool::find(where, c.pool);
  if (!there) return fail_pool(there.error(), call);
  const int code = run_detached(std::move(*plan), call);
  refill_after_taking(where, c.pool);
  return code;
}

int act_refill(const std::string& name, bool background, const environment& where, const invocation& call) {
  if (const auto refused = need_root(call)) return *refused;
  auto pool = sandbox_pool::find(where, name);
  if (!pool) return fail_pool(pool.error(), call);
  if (background) {
    const auto begun = refill_in_background(where, name);
    return begun ? int{exit_ok} : fail(begun.error(), call);
  }
  const auto work = [](sandbox_pool& it) -> boost::asio::awaitable<result<void>> {
    interrupts signals(co_await boost::asio::this_coro::executor);
    auto filling = it.refill();
    co_return co_await until_interrupted(std::move(filling), signals);
  };
  const auto done = run_loop(work(*pool));
  return done ? int{exit_ok} : fail_pool(done.error(), call);
}

int act_stop(const pool_call& c, const environment& where, const invocation& call) {
  if (const auto refused = need_root(call)) return *refused;
  int code = exit_ok;
  std::vector<std::string> stopped;
  std::string text;
  for (const std::string& name : c.names) {
    auto pool = sandbox_pool::find_to_stop(where, name);
    result<void> done;
    if (pool) done = run_loop(pool->stop());
    else done = std::move(pool).error();
    if (done) {
      stopped.push_back(name);
      text += name + "\n";
      continue;
    }
    const int failed = fail_pool(done.error(), call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const bool printed = call.common.json ? print_member("stopped", stopped) : print_text(text);
  return printed ? code : int{exit_failed};
}

int show(const std::vector<pool_status>& all, bool names_only, const invocation& call) {
  if (call.common.json) {
    std::string list = "[";
    for (const pool_status& one : all) list += (list.size() > 1 ? ",\n " : "") + format_pool(one);
    return print_text(list + "]\n") ? exit_ok : exit_failed;
  }
  std::string names;
  std::vector<std::vector<std::string>> rows;
  for (const pool_status& one : all) {
    const pool_figures& f = one.figures;
    names += one.settings.name + "\n";
    rows.push_back({one.settings.name, one.settings.snapshot,
                    std::to_string(one.ready.size()) + "/" + std::to_string(one.settings.rate.size),
                    one.filling ? "yes" : "-", std::to_string(f.handed_out), std::to_string(f.missed),
                    std::to_string(f.failed), format_seconds(static_cast<double>(f.refill_ms) / 1000)});
  }
  if (names_only) return print_text(names) ? exit_ok : exit_failed;
  return print_text(
             format_table({"NAME", "SNAPSHOT", "READY", "FILLING", "HANDED OUT", "MISSED", "FAILED", "REFILL"}, rows))
             ? exit_ok
             : exit_failed;
}

int act_list(bool names_only, const environment& where, const invocation& call) {
  if (const auto refused = need_root(call)) return *refused;
  const auto all = list_pools(where);
  return all ? show(*all, names_only, call) : fail(all.error(), call);
}

int act_status(const std::string& name, const environment& where, const invocation& call) {
  if (const auto refused = need_root(call)) return *refused;
  const auto one = find_pool(where, name);
  if (!one) return fail_pool(one.error(), call);
  if (call.common.json) return print_text(format_pool(*one) + "\n") ? exit_ok : exit_failed;
  const int code = show({*one}, false, call);
  if (!one->figures.failure.empty()) print_text("failure: " + printable(one->figures.failure, true) + "\n");
  return code;
}

}  // namespace

void add_pool(CLI::App& app, invocation& call) {
  app.require_subcommand(1);
  auto c = std::make_shared<pool_call>();
  const auto with = [&call](auto work) {
    return [&call, work] {
      call.act = [&call, work] {
        const auto where = call.common.find_environment();
        return where ? work(*where) : fail(where.error(), call);
      };
    };
  };

  CLI::App* start = app.add_subcommand("start", "make a pool, or change one, and fill it");
  start->add_option("NAME", c->name, "what to call it")->required();
  start->add_option("--from", c->snapshot, "the snapshot to keep copies of")->required()->type_name("SNAPSHOT");
  start->add_option("--size", c->size, "how many are kept ready (default: 4)")->type_name("N");
  start->add_option("--at-once", c->at_once, "how many are made side by side (default: 2)")->type_name("N");
  start->add_option("--rate", c->rate, "how many are begun within a minute (default: 0, no limit)")->type_name("N");
  start->add_option("--ends-with", c->ends_with, "`berth gc` stops it when the process of this pid has ended")
      ->type_name("PID");
  start->add_flag("--no-wait", c->no_wait, "return at once; it is filled in the background");
  add_examples(*start, {"berth pool start web --from warm --size 8"});
  start->callback(with([c, &call](const environment& where) { return act_start(*c, where, call); }));

  auto r = std::make_shared<run_call>();
  CLI::App* take = app.add_subcommand("take", "take a sandbox out of a pool and print its id; it is filled up again");
  take->add_option("NAME", r->pool, "the pool")->required();
  take->add_option("--lifetime", r->lifetime, "stop it so long after it was taken (default: never)")
      ->type_name("SECONDS");
  take->add_option("--idle-timeout", r->idle_timeout,
                   "let it fall asleep when nobody has used it for so long (default: never)")
      ->type_name("SECONDS");
  take->add_flag("--hibernate", r->hibernate,
                 "with --idle-timeout: let it sleep on the disk, where it takes no memory");
  take->add_option("--ends-with", r->ends_with, "remove it when the process of this pid ends, whatever ends that")
      ->type_name("PID");
  add_list(*take, "--egress", r->egress, "where it may begin connections to, as with berth run; may be repeated")
      ->type_name("RULE");
  add_list(*take, "-l,--label", r->labels, "an annotation, kept in the record; may be repeated")->type_name("K=V");
  add_examples(*take, {"id=$(berth pool take web)", "berth pool take web --lifetime 10m"});
  take->callback([r, &call] { call.act = [r, &call] { return act_take(*r, call); }; });

  CLI::App* ls = app.add_subcommand("ls", "list pools");
  ls->add_flag("--names", c->names_only, "print names only");
  ls->callback(with([c, &call](const environment& where) { return act_list(c->names_only, where, call); }));

  CLI::App* status = app.add_subcommand("status", "show a pool");
  status->add_option("NAME", c->name, "the pool")->required();
  status->callback(with([c, &call](const environment& where) { return act_status(c->name, where, call); }));

  CLI::App* stop = app.add_subcommand("stop", "end pools, and the sandboxes that wait in them");
  stop->add_option("NAME", c->names, "the pools")->required();
  stop->callback(with([c, &call](const environment& where) { return act_stop(*c, where, call); }));

  CLI::App* refill = app.add_subcommand("refill", "make what is missing in a pool; whoever takes from it begins this");
  refill->add_option("NAME", c->name, "the pool")->required();
  refill->add_flag("--background", c->background, "return at once; a process that this leaves behind does it");
  refill->callback(
      with([c, &call](const environment& where) { return act_refill(c->name, c->background, where, call); }));
}

}  // namespace berth::cli
