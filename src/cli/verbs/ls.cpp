// SPDX-License-Identifier: Apache-2.0
// `berth ls`: all sandboxes under the root, of whatever process.
#include "lookup.hpp"
#include "loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>

namespace berth::cli {
namespace {

// What is on its way to being listed.
struct listing {
  environment where;
  std::vector<sandbox_record> records;
  std::vector<sandbox_status> views;
  std::size_t next = 0;
  time_point deadline;  ///< for all of them, whatever is stuck
};

boost::asio::awaitable<void> view_some(listing& list) {
  while (list.next < list.records.size()) {
    const std::size_t mine = list.next++;
    const duration left = std::max(list.deadline - clock::now(), duration::zero());
    auto looking =
        view_sandbox(list.where, std::move(list.records[mine]), {.patience = std::min<duration>(left, seconds(1))});
    list.views[mine] = co_await std::move(looking);
  }
}

std::vector<sandbox_status> view_all(const environment& where, std::vector<sandbox_record> records) {
  listing list{where, std::move(records), {}, 0, deadline_after(milliseconds(800))};
  list.views.resize(list.records.size());
  boost::asio::io_context loop(1);
  for (int i = 0; i < 8; ++i) boost::asio::co_spawn(loop, view_some(list), boost::asio::detached);
  loop.run();
  return std::move(list.views);
}

std::string age(std::int64_t created_ms) {
  const auto now =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::int64_t s = std::max<std::int64_t>(0, (now - created_ms) / 1000);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m";
  if (s < 48 * 3600) return std::to_string(s / 3600) + "h";
  return std::to_string(s / 86400) + "d";
}

std::string command_word(const sandbox_status& view) {
  if (!view.purpose || view.purpose->command.empty()) return "-";
  std::string text;
  for (const std::string& word : view.purpose->command) text += (text.empty() ? "" : " ") + word;
  if (text.size() > 30) text = text.substr(0, 27) + "...";
  if (view.guest && view.guest->command && view.guest->command->now == kept_command::state::exited)
    text += " (exited " + std::to_string(view.guest->command->exit_code) + ")";
  return printable(text, false);
}

int act(bool ids_only, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  auto records = list_sandboxes(*where);
  if (!records) return fail(records.error(), call);
  if (ids_only && !call.common.json) {
    std::string text;
    for (const sandbox_record& record : *records) text += record.id + "\n";
    return print_text(text) ? exit_ok : exit_failed;
  }
  const auto views = view_all(*where, std::move(*records));
  if (call.common.json) {
    json_writer list(2);
    list.open_array();
    for (const sandbox_status& view : views) write_json(list, view);
    list.close_array();
    return print_text(list.take() + '\n') ? exit_ok : exit_failed;
  }
  std::vector<std::vector<std::string>> rows;
  for (const sandbox_status& v : views) {
    if (v.record.damaged) {
      rows.push_back({v.record.id, v.state, "-", "-", "-", printable(v.record.damage, false)});
      continue;
    }
    rows.push_back({v.record.id, v.state, docker_word(v), v.record.net ? v.record.net->address() : "-",
                    age(v.record.created_ms), command_word(v)});
  }
  return print_text(format_table({"ID", "STATE", "DOCKER", "ADDRESS", "AGE", "COMMAND"}, rows)) ? exit_ok : exit_failed;
}

}  // namespace

void add_ls(CLI::App& app, invocation& call) {
  auto ids_only = std::make_shared<bool>(false);
  app.alias("ps");
  app.add_flag("--ids", *ids_only, "print ids only");
  add_examples(app, {"berth ls", "berth rm $(berth ls --ids)"});
  app.callback([ids_only, &call] { call.act = [ids_only, &call] { return act(*ids_only, call); }; });
}

}  // namespace berth::cli
