// SPDX-License-Identifier: Apache-2.0
// The command line of `berth`: a table of verbs, each in a file of its own.
#include "command.hpp"

#include "options/options.hpp"

#include <berth/config.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace berth::cli {

void add_run(CLI::App& app, invocation& call);
void add_exec(CLI::App& app, invocation& call);
void add_shell(CLI::App& app, invocation& call);
void add_docker(CLI::App& app, invocation& call);
void add_env(CLI::App& app, invocation& call);
void add_wait(CLI::App& app, invocation& call);
void add_status(CLI::App& app, invocation& call);
void add_logs(CLI::App& app, invocation& call);
void add_events(CLI::App& app, invocation& call);
void add_ls(CLI::App& app, invocation& call);
void add_cp(CLI::App& app, invocation& call);
void add_export(CLI::App& app, invocation& call);
void add_commit(CLI::App& app, invocation& call);
void add_egress(CLI::App& app, invocation& call);
void add_stats(CLI::App& app, invocation& call);
void add_pause(CLI::App& app, invocation& call);
void add_resume(CLI::App& app, invocation& call);
void add_hibernate(CLI::App& app, invocation& call);
void add_snapshot(CLI::App& app, invocation& call);
void add_snapshots(CLI::App& app, invocation& call);
void add_pool(CLI::App& app, invocation& call);
void add_rm(CLI::App& app, invocation& call);
void add_gc(CLI::App& app, invocation& call);
void add_doctor(CLI::App& app, invocation& call);
void add_spec(CLI::App& app, invocation& call);
void add_runsc(CLI::App& app, invocation& call);
void add_reap(CLI::App& app, invocation& call);

namespace {

constexpr const char* sandboxes = "Sandboxes";
constexpr const char* machine = "This machine";
constexpr const char* embedders = "For embedders";

constexpr verb verbs[] = {
    {"run", "make a sandbox and run a command in it", add_run, sandboxes},
    {"exec", "run a command in a running sandbox", add_exec, sandboxes},
    {"shell", "open a shell on a terminal in a running sandbox", add_shell, sandboxes},
    {"docker", "run the docker client against a sandbox", add_docker, sandboxes},
    {"env", "print the variables that point a Docker client at a sandbox", add_env, sandboxes},
    {"wait", "wait until a sandbox, and Docker in it, is ready", add_wait, sandboxes},
    {"status", "show a sandbox in full", add_status, sandboxes},
    {"logs", "show the output of a sandbox's command, or of dockerd", add_logs, sandboxes},
    {"events", "show what happened in a sandbox: containers out of memory, dockerd's ends", add_events, sandboxes},
    {"stats", "show what the containers in a sandbox take", add_stats, sandboxes},
    {"ls", "list sandboxes", add_ls, sandboxes},
    {"cp", "copy files and trees between this host and a sandbox", add_cp, sandboxes},
    {"export", "write what a sandbox changed in its root file system to a tar", add_export, sandboxes},
    {"commit", "make an image of a sandbox, for a registry", add_commit, sandboxes},
    {"egress", "show or change where a sandbox may begin connections to", add_egress, sandboxes},
    {"pause", "stop sandboxes where they are: they take no CPU time until they are resumed", add_pause, sandboxes},
    {"hibernate", "save sandboxes to the disk: they take no memory until they are used again", add_hibernate,
     sandboxes},
    {"resume", "let paused and hibernated sandboxes go on", add_resume, sandboxes},
    {"snapshot", "save a running sandbox, to be run from as often as wanted", add_snapshot, sandboxes},
    {"snapshots", "list snapshots", add_snapshots, sandboxes},
    {"pool", "keep copies of a snapshot ready, to be had at once", add_pool, sandboxes},
    {"rm", "end sandboxes and remove all that belongs to them", add_rm, sandboxes},
    {"gc", "remove what killed processes left behind", add_gc, machine},
    {"doctor", "check that this machine has what berth needs", add_doctor, machine},
    {"spec", "change an OCI runtime spec", add_spec, embedders},
    {"runsc", "print the arguments for a runsc command, without running it", add_runsc, embedders},
    {"reap", "remove a sandbox whose creator has gone; started by what watches that", add_reap, ""},
};

// The common options, on the verb itself or on each of its own verbs (`berth spec docker`).
void add_common_to_leaves(CLI::App& app, common_options& common) {
  const auto subs = app.get_subcommands([](CLI::App*) { return true; });
  if (subs.empty()) {
    add_common(app, common);
    refuse_empty_values(app);
  }
  for (CLI::App* sub : subs) add_common_to_leaves(*sub, common);
}

constexpr const char* footer =
    "Exit codes:\n"
    "  0 done, 1 failed, 2 bad usage, 3 not ready in time, 4 no such sandbox\n"
    "  `berth run` in the foreground, `berth exec` and `berth docker` exit as the command that they ran.\n"
    "\n"
    "Examples:\n"
    "  berth run --rootfs ./rootfs --docker -- docker run hello-world\n"
    "  id=$(berth run -d --wait --rootfs ./rootfs --docker)\n"
    "  berth docker $id -- ps\n"
    "  berth rm $id";

// Says in the usage line that a command follows, where one does.
class formatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string text = CLI::Formatter::make_usage(app, std::move(name));
    if (!app->get_prefix_command()) return text;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text + " -- COMMAND [ARG...]\n";
  }
};

std::string repeated_message(const CLI::Option& option, std::size_t times) {
  return option.get_name() + " is given " + std::to_string(times) + " times, and can have one value only";
}

// What CLI11 says about a parse error, on one line; what it says in riddles, in words.
std::string parse_message(const CLI::ParseError& e, const CLI::App* verb) {
  if (e.get_exit_code() == static_cast<int>(CLI::ExitCodes::ArgumentMismatch)) {
    for (; verb != nullptr; verb = verb->get_parent())
      for (const CLI::Option* option : verb->get_options())
        if (option->get_expected_max() == 1 && option->count() > 1) return repeated_message(*option, option->count());
  }
  std::string text = e.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::erase(text, '\0');  // of mark_empty_values
  return text;
}

// A common option before the verb and behind it, with a value each time: CLI11 sees two options in it.
std::optional<std::string> repeated_common_option(const CLI::App& app, const CLI::App& verb) {
  for (const CLI::Option* before : app.get_options()) {
    const CLI::Option* behind = verb.get_option_no_throw(before->get_name());
    if (before->get_expected_max() == 1 && before->count() > 0 && behind != nullptr && behind->count() > 0)
      return repeated_message(*before, before->count() + behind->count());
  }
  return std::nullopt;
}

// The same where a verb was not found: of berth, or of a verb that has its own.
std::string verb_message(const CLI::ParseError& e, const CLI::App& app, const std::vector<std::string>& words) {
  if (e.get_exit_code() != static_cast<int>(CLI::ExitCodes::RequiredError) || app.get_subcommands({}).empty())
    return parse_message(e, &app);
  auto word = words.begin();
  const std::string of = app.get_parent() == nullptr ? "" : " of berth " + app.get_name();
  if (!of.empty()) word = std::find(words.begin(), words.end(), app.get_name()) + 1;
  word = std::find_if(word, words.end(), [](const std::string& w) { return !w.starts_with('-'); });
  return word == words.end() ? "a verb" + of + " is needed" : "no verb" + of + " is called '" + *word + "'";
}

}  // namespace

int run_command_line(std::vector<std::string> words) {
  invocation call;
  // Before CLI11 sees it: what stands behind "--" is not ours to read.
  if (const auto split = std::find(words.begin(), words.end(), "--"); split != words.end()) {
    call.command.emplace(split + 1, words.end());
    words.erase(split, words.end());
  }

  CLI::App app("Docker in gVisor sandboxes", "berth");
  app.formatter(std::make_shared<formatter>());
  app.set_version_flag("--version", "berth " BERTH_VERSION_STRING);
  app.footer(footer);
  app.require_subcommand(1);
  add_common(app, call.common);
  refuse_empty_values(app);
  for (const verb& entry : verbs) {
    CLI::App* sub = app.add_subcommand(entry.name, entry.summary)->group(entry.group);
    // A verb that is not among the words is only listed: the options of all take 2 ms to build, and `run -d` builds twice.
    if (std::find(words.begin(), words.end(), entry.name) == words.end()) continue;
    entry.add(*sub, call);
    add_common_to_leaves(*sub, call.common);
  }

  const auto parsed_verb = [&]() -> CLI::App* {
    CLI::App* found = nullptr;
    for (auto subs = app.get_subcommands(); !subs.empty(); subs = found->get_subcommands()) found = subs.front();
    return found;
  };
  std::vector<std::string> reversed = mark_empty_values(words);
  std::reverse(reversed.begin(), reversed.end());  // the order that CLI11 takes a vector in
  try {
    app.parse(reversed);
  } catch (const CLI::Success& e) {
    return app.exit(e) == 0 ? exit_ok : exit_failed;  // --help, --version
  } catch (const CLI::ParseError& e) {
    // Parsing stopped half-way, so whether --json was given has to be looked up.
    call.common.json = std::find(words.begin(), words.end(), "--json") != words.end();
    const CLI::App* found = parsed_verb();
    return print_usage_error(verb_message(e, found == nullptr ? app : *found, words), full_name(found),
                             call.common.output());
  }
  call.verb = parsed_verb();
  if (call.command && !call.verb->get_prefix_command())
    return fail(usage_error("this verb takes no command behind --"), call);
  if (const auto repeated = repeated_common_option(app, *call.verb)) return fail(usage_error(*repeated), call);
  return call.act();
}

}  // namespace berth::cli
