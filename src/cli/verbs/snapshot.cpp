// SPDX-License-Identifier: Apache-2.0
// `berth snapshot` and `berth snapshots`: running sandboxes saved under a name, for `berth run --from`.
#include "interrupts.hpp"
#include "lookup.hpp"
#include "loop.hpp"
#include "progress.hpp"
#include "ticker.hpp"

#include <berth/base/text.hpp>
#include <berth/snapshot/snapshot.hpp>

#include <boost/asio/this_coro.hpp>

namespace berth::cli {
namespace {

struct snapshot_call {
  std::vector<std::string> words;
  bool stop = false;
  std::string timeout = "120";
};

int fail_snapshot(const error& e, const invocation& call) {
  const int code = fail(e, call);
  return e.code == errc::not_found && e.layer == "snapshot" ? int{exit_not_found} : code;
}

// The exit code, 128 + n after a signal, which leaves nothing half-written.
boost::asio::awaitable<result<int>> take(environment where, std::shared_ptr<sandbox> box, std::string name,
                                         snapshot_options options, progress& bar, bool json_wanted) {
  const auto loop = co_await boost::asio::this_coro::executor;
  interrupts signals(loop);
  const ticker ticking(loop, bar);
  bar.start("saving the sandbox");
  auto work = take_snapshot(std::move(where), std::move(box), std::move(name), options);
  const auto taken = co_await until_interrupted(std::move(work), signals);
  bar.stop();
  if (!taken && signals.first() != 0) co_return 128 + signals.first();
  if (!taken) co_return taken.error();
  const snapshot_manifest& m = taken->manifest;
  const bool printed = json_wanted ? print_text(format_snapshot(*taken) + '\n')
                                   : print_text(m.name + "\t" + format_bytes(m.bytes) + "\t" +
                                                format_seconds(static_cast<double>(m.took_ms) / 1000) + "\n");
  co_return printed ? int{exit_ok} : int{exit_failed};
}

int act_take(const snapshot_call& c, const environment& where, const invocation& call) {
  snapshot_options options;
  options.leave_running = !c.stop;
  const auto limit = parse_duration(c.timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  options.patience = *limit;
  if (const auto good = check_snapshot_name(c.words[1]); !good) return fail(usage_error(good.error(), "NAME"), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(where, c.words[0]);
  if (!box) return fail_lookup(box.error(), call);
  progress bar(call.common.output());
  const auto done = run_loop(take(where, *box, c.words[1], options, bar, call.common.json));
  return done ? *done : fail_snapshot(done.error(), call);
}

int act_remove(const snapshot_call& c, const environment& where, const invocation& call) {
  if (const auto refused = need_root(call)) return *refused;
  int code = exit_ok;
  std::vector<std::string> removed;
  std::string text;
  for (std::size_t i = 1; i < c.words.size(); ++i) {
    const auto done = remove_snapshot(where, c.words[i]);
    if (done) {
      removed.push_back(c.words[i]);
      text += c.words[i] + "\n";
      continue;
    }
    const int failed = fail_snapshot(done.error(), call);
    if (code == exit_ok || failed == exit_failed) code = failed;
  }
  const bool printed = call.common.json ? print_member("removed", removed) : print_text(text);
  return printed ? code : int{exit_failed};
}

int act_inspect(const snapshot_call& c, const environment& where, const invocation& call) {
  if (const auto refused = need_root(call)) return *refused;
  json_writer all(2);
  all.open_array();
  for (std::size_t i = 1; i < c.words.size(); ++i) {
    const auto found = find_snapshot(where, c.words[i]);
    if (!found) return fail_snapshot(found.error(), call);
    all.raw(format_snapshot(*found));
  }
  all.close_array();
  return print_json(std::move(all)) ? exit_ok : exit_failed;
}

int act(const snapshot_call& c, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  const std::string& first = c.words.front();
  const bool is_verb = first == "rm" || first == "inspect";
  if (is_verb && c.words.size() < 2) return fail(usage_error("no snapshot is named"), call);
  if (is_verb && c.stop) return fail(usage_error("there is nothing to stop", "--stop"), call);
  if (first == "rm") return act_remove(c, *where, call);
  if (first == "inspect") return act_inspect(c, *where, call);
  if (c.words.size() != 2) return fail(usage_error("a sandbox and a name for the snapshot are needed: ID NAME"), call);
  return act_take(c, *where, call);
}

int act_list(bool names_only, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto all = list_snapshots(*where);
  if (!all) return fail(all.error(), call);
  if (call.common.json) {
    json_writer list(2);
    list.open_array();
    for (const stored_snapshot& one : *all) list.raw(format_snapshot(one));
    list.close_array();
    return print_json(std::move(list)) ? exit_ok : exit_failed;
  }
  std::string names;
  std::vector<std::vector<std::string>> rows;
  for (const stored_snapshot& one : *all) {
    const snapshot_manifest& m = one.manifest;
    names += m.name + "\n";
    if (one.damaged) rows.push_back({m.name, "-", "-", "-", "-", printable(one.damage, false)});
    else
      rows.push_back({m.name, format_utc(m.created_ms), format_bytes(m.bytes), m.docker ? "ready" : "-", m.source.id,
                      m.source.rootfs});
  }
  if (names_only) return print_text(names) ? exit_ok : exit_failed;
  return print_text(format_table({"NAME", "CREATED", "SIZE", "DOCKER", "SANDBOX", "ROOTFS"}, rows)) ? exit_ok
                                                                                                    : exit_failed;
}

}  // namespace

void add_snapshot(CLI::App& app, invocation& call) {
  auto c = std::make_shared<snapshot_call>();
  app.add_option("ID NAME", c->words, "the sandbox and the snapshot's name; or `rm` or `inspect`, and names")
      ->required();
  app.add_flag("--stop", c->stop, "the sandbox ends when it is saved (default: it goes on)");
  app.add_option("--timeout", c->timeout, "how long it may take (default: 120)")->type_name("SECONDS");
  add_examples(app, {"berth snapshot box warm", "berth run -d --from warm", "berth snapshot inspect warm",
                     "berth snapshot rm warm"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

void add_snapshots(CLI::App& app, invocation& call) {
  auto names_only = std::make_shared<bool>(false);
  app.add_flag("--names", *names_only, "print names only");
  add_examples(app, {"berth snapshots", "berth snapshot rm $(berth snapshots --names)"});
  app.callback([names_only, &call] { call.act = [names_only, &call] { return act_list(*names_only, call); }; });
}

}  // namespace berth::cli
