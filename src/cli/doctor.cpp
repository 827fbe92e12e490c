// SPDX-License-Identifier: Apache-2.0
// `berth doctor`: what this machine has, lacks, or has in a form that does not do, each with its remedy.
#include "doctor_checks.hpp"
#include "options.hpp"

namespace berth::cli {
namespace {

constexpr std::string_view state_name(check_state state) {
  switch (state) {
    case check_state::found: return "found";
    case check_state::missing: return "missing";
    case check_state::unfit: return "unfit";
  }
  return "unfit";
}

json checks_json(const std::vector<check>& checks, bool fit) {
  json list = json::array();
  for (const check& c : checks) {
    json entry = json::object();
    entry.set("name", c.name).set("state", state_name(c.state)).set("needed", c.needed).set("found", c.what);
    if (!c.remedy.empty()) entry.set("remedy", c.remedy);
    list.push(std::move(entry));
  }
  return json::object().set("ok", fit).set("checks", std::move(list));
}

int act(const std::string& rootfs, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  const std::vector<check> checks = run_checks(*where, rootfs.empty() ? "" : absolute_path(rootfs));
  bool fit = true;
  for (const check& c : checks) fit = fit && (!c.needed || c.state == check_state::found);
  bool printed = false;
  if (call.common.json) {
    printed = print_json(checks_json(checks, fit));
  } else {
    std::vector<std::vector<std::string>> rows;
    std::string remedies;
    for (const check& c : checks) {
      std::string state(state_name(c.state));
      if (c.state != check_state::found && !c.needed) state += " (optional)";
      rows.push_back({c.name, state, printable(c.what, false)});
      if (!c.remedy.empty()) remedies += "\n" + c.name + ": " + printable(c.remedy);
    }
    std::string text = format_table({"CHECK", "STATE", "DETAIL"}, rows);
    if (!remedies.empty()) text += "\nWhat to do:" + remedies + "\n";
    text += fit ? "\nAll that is needed is there.\n" : "\nSomething that is needed is missing or unfit.\n";
    printed = print_text(text);
  }
  return printed && fit ? exit_ok : exit_failed;
}

}  // namespace

void add_doctor(CLI::App& app, invocation& call) {
  auto rootfs = std::make_shared<std::string>();
  app.add_option("--rootfs", *rootfs, "check the Docker in this root file system too")->type_name("DIR");
  add_examples(app, {"berth doctor", "berth doctor --rootfs ./rootfs --json"});
  app.callback([rootfs, &call] { call.act = [rootfs, &call] { return act(*rootfs, call); }; });
}

}  // namespace berth::cli
