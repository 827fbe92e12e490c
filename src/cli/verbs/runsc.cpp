// SPDX-License-Identifier: Apache-2.0
// `berth runsc VERB …`: the argv for a runsc command as JSON, for those who start runsc themselves.
#include "loop.hpp"
#include "options/options.hpp"

#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/find_runsc.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

namespace berth::cli {
namespace {

// The options of all verbs in one place; each verb declares those that it has.
struct runsc_call {
  runsc_globals globals;
  std::string state_root, network, host_uds;
  bool docker = false;
  std::string id;
  std::string bundle, console_socket, pid_file, internal_pid_file, user_log, image_path, process, cwd, user;
  std::string fs_restore_image_path, path, file, compression, signal = "TERM", log_format, file_access;
  bool detach = false, force = false, all = false, background = false, direct = false, leave_running = false;
  bool fs_restore_direct = false, exclude_zero_pages = false;
  bool quiet_list = false, table = false, sandboxes_only = false;
  bool stats = false, wait_checkpoint = false, wait_restore = false;
  std::optional<int> pid, pgid, root_pid, exec_fd;
  std::optional<std::uint32_t> interval;
  std::vector<std::uint32_t> additional_gids;
  std::vector<std::string> env, caps, pass_fds, extra_args;
};

// Global options that are true, false, or left to runsc.
constexpr std::pair<const char*, std::optional<bool> runsc_globals::*> switches[] = {
    {"directfs", &runsc_globals::directfs},
    {"ignore_cgroups", &runsc_globals::ignore_cgroups},
    {"systemd_cgroup", &runsc_globals::systemd_cgroup},
    {"rootless", &runsc_globals::rootless},
    {"oci_seccomp", &runsc_globals::oci_seccomp},
    {"allow_suid", &runsc_globals::allow_suid},
    {"gso", &runsc_globals::gso},
    {"software_gso", &runsc_globals::software_gso},
    {"mount_cgroup_v2", &runsc_globals::mount_cgroup_v2},
    {"allow_connected_on_save", &runsc_globals::allow_connected_on_save},
};

result<int> parse_signal(std::string_view text) {
  std::string_view name = text;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number) {
    const char* known = ::sigabbrev_np(number);
    if ((known != nullptr && name == known) || name == std::to_string(number)) return number;
  }
  return usage_error(in_quotes(text) + " is no signal", "--signal");
}

result<std::vector<runsc_pass_fd>> parse_pass_fds(const std::vector<std::string>& list) {
  std::vector<runsc_pass_fd> out;
  for (const std::string& text : list) {
    runsc_pass_fd fd;
    const char* const end = text.data() + text.size();
    const auto host = std::from_chars(text.data(), end, fd.host);
    const bool colon = host.ec == std::errc() && host.ptr != end && *host.ptr == ':';
    const auto guest = colon ? std::from_chars(host.ptr + 1, end, fd.guest) : host;
    if (!colon || guest.ec != std::errc() || guest.ptr != end)
      return usage_error(in_quotes(text) + " is not of the form HOST:GUEST, two numbers of descriptors", "--pass-fd");
    out.push_back(fd);
  }
  return out;
}

// What one of the table's words means: they are in the order of `values`. Nothing of an empty word.
template <class Enum, std::size_t N>
std::optional<Enum> word_of(std::string_view key, const std::string& word, const std::array<Enum, N>& values) {
  std::string_view left = find_flag(key).words;
  for (const Enum value : values) {
    const std::string_view known = left.substr(0, left.find('|'));
    if (!word.empty() && word == known) return value;
    left.remove_prefix(std::min(left.size(), known.size() + 1));
  }
  return {};
}

result<void> finish_globals(runsc_call& c, const runsc_binary& binary, const environment& where) {
  c.globals.root = c.state_root.empty() ? where.root + "/runsc" : absolute_path(c.state_root);
  if (!c.globals.debug_log.empty()) c.globals.debug_log = absolute_path(c.globals.debug_log);
  if (c.docker) {
    c.globals.net_raw = true;
    if (c.host_uds.empty()) c.host_uds = "create";
    // Docker 28 needs it; a release without it can run the Dockers before that.
    if (!binary.packet_write_flag().empty()) c.globals.packet_socket_write = true;
  }
  if (c.docker && c.network == "host") return usage_error("Docker does not work on runsc's host network", "--network");
  c.globals.network = word_of("runsc_globals.network", c.network,
                              std::array{runsc_network::sandbox, runsc_network::none, runsc_network::host});
  c.globals.log_format =
      word_of("runsc_globals.log_format", c.log_format,
              std::array{runsc_log_format::text, runsc_log_format::json, runsc_log_format::json_k8s});
  c.globals.file_access = word_of("runsc_globals.file_access", c.file_access,
                                  std::array{runsc_file_access::exclusive, runsc_file_access::shared});
  c.globals.host_uds =
      word_of("runsc_globals.host_uds", c.host_uds,
              std::array{runsc_host_uds::none, runsc_host_uds::open, runsc_host_uds::create, runsc_host_uds::all});
  return {};
}

runsc_create_options create_options(const runsc_call& c) {
  runsc_create_options out;
  out.bundle = c.bundle.empty() ? "" : absolute_path(c.bundle);
  out.console_socket = c.console_socket;
  out.pid_file = c.pid_file;
  out.user_log = c.user_log;
  out.fs_restore_image_path = c.fs_restore_image_path;
  out.fs_restore_direct = c.fs_restore_direct;
  out.extra_args = c.extra_args;
  return out;
}

result<runsc_argv> build_argv(const std::string& verb, runsc_call& c, const runsc_binary& binary,
                              const std::vector<std::string>& command) {
  const runsc_plain_options plain{c.extra_args};
  const auto pass_fds = parse_pass_fds(c.pass_fds);
  if (!pass_fds) return pass_fds.error();
  if (verb == "create") return runsc_create_argv(binary, c.globals, c.id, create_options(c));
  if (verb == "run") {
    runsc_run_options o;
    static_cast<runsc_create_options&>(o) = create_options(c);
    o.detach = c.detach;
    o.pass_fds = *pass_fds;
    o.exec_fd = c.exec_fd;
    return runsc_run_argv(binary, c.globals, c.id, o);
  }
  if (verb == "restore") {
    runsc_restore_options o;
    static_cast<runsc_create_options&>(o) = create_options(c);
    o.image_path = c.image_path.empty() ? "" : absolute_path(c.image_path);
    o.detach = c.detach;
    o.background = c.background;
    o.direct = c.direct;
    return runsc_restore_argv(binary, c.globals, c.id, o);
  }
  if (verb == "exec") {
    runsc_exec_options o;
    o.command = command;
    o.process = c.process;
    o.cwd = c.cwd;
    o.env = c.env;
    o.user = c.user;
    o.additional_gids = c.additional_gids;
    o.caps = c.caps;
    o.console_socket = c.console_socket;
    o.pid_file = c.pid_file;
    o.internal_pid_file = c.internal_pid_file;
    o.detach = c.detach;
    o.pass_fds = *pass_fds;
    o.exec_fd = c.exec_fd;
    o.extra_args = c.extra_args;
    return runsc_exec_argv(binary, c.globals, c.id, o);
  }
  if (verb == "kill") {
    runsc_kill_options o;
    const auto number = parse_signal(c.signal);
    if (!number) return number.error();
    o.signal = *number;
    o.all = c.all;
    o.pid = c.pid;
    o.pgid = c.pgid;
    o.extra_args = c.extra_args;
    return runsc_kill_argv(binary, c.globals, c.id, o);
  }
  if (verb == "delete") return runsc_delete_argv(binary, c.globals, c.id, {c.force, c.extra_args});
  if (verb == "list") {
    runsc_list_options o;
    o.json = !c.table;
    o.quiet = c.quiet_list;
    o.sandboxes_only = c.sandboxes_only;
    o.extra_args = c.extra_args;
    return runsc_list_argv(binary, c.globals, o);
  }
  if (verb == "wait") {
    runsc_wait_options o;
    o.pid = c.pid;
    o.root_pid = c.root_pid;
    o.checkpoint = c.wait_checkpoint;
    o.restore = c.wait_restore;
    o.extra_args = c.extra_args;
    return runsc_wait_argv(binary, c.globals, c.id, o);
  }
  if (verb == "checkpoint") {
    runsc_checkpoint_options o;
    o.image_path = c.image_path.empty() ? "" : absolute_path(c.image_path);
    o.leave_running = c.leave_running;
    o.direct = c.direct;
    o.exclude_committed_zero_pages = c.exclude_zero_pages;
    o.compression = word_of("runsc.compression", c.compression,
                            std::array{runsc_compression::none, runsc_compression::flate_best_speed});
    o.extra_args = c.extra_args;
    return runsc_checkpoint_argv(binary, c.globals, c.id, o);
  }
  if (verb == "events") return runsc_events_argv(binary, c.globals, c.id, {c.stats, c.interval, c.extra_args});
  if (verb == "fscheckpoint") {
    runsc_fscheckpoint_options o;
    o.image_path = absolute_path(c.image_path);
    o.path = c.path;
    o.leave_running = c.leave_running;
    o.direct = c.direct;
    o.extra_args = c.extra_args;
    return runsc_fscheckpoint_argv(binary, c.globals, c.id, o);
  }
  if (verb == "tar") return runsc_tar_rootfs_upper_argv(binary, c.globals, c.id, {absolute_path(c.file)});
  if (verb == "ps") return runsc_ps_argv(binary, c.globals, c.id, plain);
  if (verb == "start") return runsc_start_argv(binary, c.globals, c.id, plain);
  if (verb == "state") return runsc_state_argv(binary, c.globals, c.id, plain);
  if (verb == "pause") return runsc_pause_argv(binary, c.globals, c.id, plain);
  if (verb == "resume") return runsc_resume_argv(binary, c.globals, c.id, plain);
  return make_error(errc::internal, "cli", "no such runsc verb: " + verb);
}

int act(const std::string& verb, runsc_call& c, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  std::vector<std::string> command;
  if (verb == "exec") {
    auto words = call.command_line();
    if (!words) return fail(words.error(), call);
    command = std::move(*words);
    if (command.empty() && c.process.empty()) return fail(usage_error("no command given, put it behind --"), call);
  }
  const auto binary = find_sandbox_runsc_blocking(*where);
  if (!binary) return fail(binary.error(), call);
  if (const auto done = finish_globals(c, *binary, *where); !done) return fail(done.error(), call);
  const auto argv = build_argv(verb, c, *binary, command);
  // What the typed options refuse is what was typed here.
  if (!argv && argv.error().layer == "runsc" && argv.error().code == errc::invalid)
    return fail(usage_error(argv.error(), argv.error().path), call);
  if (!argv) return fail(argv.error(), call);
  json_writer out;
  write_strings(out, *argv);
  return print_json(std::move(out)) ? exit_ok : exit_failed;
}

void add_globals(CLI::App& app, runsc_call& c) {
  const auto add = [&](const char* name, auto& into) {
    return add_from_table(app, "runsc_globals." + std::string(name), into);
  };
  const auto add_word = [&](const char* name, std::string& into) {
    add(name, into)->check(one_of("runsc_globals." + std::string(name)));
  };
  add("root", c.state_root);
  add_from_table(app, "runsc_verb.docker", c.docker);
  add("debug_log", c.globals.debug_log);
  add("log", c.globals.log);
  add_word("log_format", c.log_format);
  add("debug", c.globals.debug);
  add("platform", c.globals.platform);
  add_word("network", c.network);
  add("net_raw", c.globals.net_raw);
  add("packet_socket_write", c.globals.packet_socket_write);
  add_word("host_uds", c.host_uds);
  add("overlay2", c.globals.overlay2);
  add_word("file_access", c.file_access);
  add("dcache", c.globals.dcache);
  add("fdlimit", c.globals.fdlimit);
  for (const auto& [name, member] : switches) {
    const flag_row& row = find_flag("runsc_globals." + std::string(name));
    CLI::Option* option = app.add_option_function<std::string>(
        std::string(row.names),
        [&c, member = member](const std::string& value) { c.globals.*member = value == "true"; },
        std::string(row.help));
    dress(option->check(CLI::IsMember({"true", "false"}))->type_name(""), row);
  }
  add("extra_args", c.globals.extra_args);
}

void add_verb_options(const std::string& verb, CLI::App& app, runsc_call& c) {
  const auto is = [&](auto... verbs) { return ((verb == verbs) || ...); };
  const auto add = [&](const char* name, auto& into) {
    return add_from_table(app, "runsc." + std::string(name), into);
  };
  if (is("create", "run", "restore")) {
    add("bundle", c.bundle)->required();
    add("user_log", c.user_log);
    add("fs_restore_image_path", c.fs_restore_image_path);
    add("fs_restore_direct", c.fs_restore_direct);
  }
  if (is("create", "run", "restore", "exec")) {
    add("console_socket", c.console_socket);
    add("pid_file", c.pid_file);
  }
  if (is("run", "restore", "exec")) add("detach", c.detach);
  if (is("restore", "checkpoint", "fscheckpoint")) {
    add("image_path", c.image_path)->required();
    add("direct", c.direct);
  }
  if (is("restore")) add("background", c.background);
  if (is("exec")) {
    takes_command(app);
    add("process", c.process);
    add("env", c.env);
    add("cwd", c.cwd);
    add("user", c.user);
    add("additional_gids", c.additional_gids)->allow_extra_args(false);
    add("caps", c.caps);
    add("internal_pid_file", c.internal_pid_file);
  }
  if (is("kill")) {
    add("signal", c.signal);
    add("all", c.all);
    add("pgid", c.pgid);
  }
  if (is("run", "exec")) {
    add("pass_fds", c.pass_fds);
    add("exec_fd", c.exec_fd);
  }
  if (is("kill", "wait")) add("pid", c.pid);
  if (is("wait")) {
    add("root_pid", c.root_pid);
    add("checkpoint", c.wait_checkpoint);
    add("restore", c.wait_restore);
  }
  if (is("delete")) add("force", c.force);
  if (is("list")) {
    add("quiet", c.quiet_list);
    add("json", c.table);
    add("sandboxes_only", c.sandboxes_only);
  }
  if (is("checkpoint", "fscheckpoint")) add("leave_running", c.leave_running);
  if (is("fscheckpoint")) add("path", c.path);
  if (is("tar")) add("file", c.file)->required();
  else add("extra_args", c.extra_args);  // the verb below tar takes them, which runsc's help does not list
  if (is("checkpoint")) {
    add("exclude_committed_zero_pages", c.exclude_zero_pages);
    add("compression", c.compression)->check(one_of("runsc.compression"));
  }
  if (is("events")) {
    add("stats", c.stats);
    add("interval_seconds", c.interval);
  }
}

}  // namespace

void add_runsc(CLI::App& app, invocation& call) {
  app.require_subcommand(1);
  add_examples(app, {"berth runsc run --docker --bundle ./b --debug-log ./log --detach box",
                     "berth runsc exec box -- dockerd --iptables=false"});
  for (const char* verb : {"run", "create", "start", "exec", "kill", "delete", "state", "list", "wait", "pause",
                           "resume", "checkpoint", "restore", "events", "ps", "fscheckpoint", "tar"}) {
    auto c = std::make_shared<runsc_call>();
    CLI::App* sub = app.add_subcommand(verb, std::string("the argv of runsc ") + verb);
    add_verb_options(verb, *sub, *c);
    if (std::string_view(verb) != "list") sub->add_option("ID", c->id, "the container's id")->required();
    add_globals(*sub, *c);
    sub->callback(
        [verb = std::string(verb), c, &call] { call.act = [verb, c, &call] { return act(verb, *c, call); }; });
  }
}

}  // namespace berth::cli
