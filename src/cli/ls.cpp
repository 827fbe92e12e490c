// `berth ls`: all sandboxes under the root, of whatever process.
#include "lookup.hpp"
#include "loop.hpp"

namespace berth::cli {
namespace {

boost::asio::awaitable<std::vector<sandbox_view>> view_all(environment where, std::vector<sandbox_record> records) {
  std::vector<sandbox_view> out;
  for (sandbox_record& record : records) {
    sandbox_view view = co_await view_sandbox(where, std::move(record));
    out.push_back(std::move(view));
  }
  co_return out;
}

std::string age(std::int64_t created_ms) {
  const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::int64_t s = std::max<std::int64_t>(0, (now - created_ms) / 1000);
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return std::to_string(s / 60) + "m";
  if (s < 48 * 3600) return std::to_string(s / 3600) + "h";
  return std::to_string(s / 86400) + "d";
}

std::string command_word(const sandbox_view& view) {
  if (!view.status || view.status->command.empty()) return "-";
  std::string text;
  for (const std::string& word : view.status->command) text += (text.empty() ? "" : " ") + word;
  if (text.size() > 30) text = text.substr(0, 27) + "...";
  if (view.status->command_is == command_state::exited)
    text += " (exited " + std::to_string(view.status->exit_code) + ")";
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
  const auto views = run_loop(view_all(*where, std::move(*records)));
  if (call.common.json) {
    json list = json::array();
    for (const sandbox_view& view : views) list.push(view_json(view));
    return print_json(list) ? exit_ok : exit_failed;
  }
  std::vector<std::vector<std::string>> rows;
  for (const sandbox_view& v : views) {
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
