// SPDX-License-Identifier: Apache-2.0
// `berth runsc VERB …`: the argv for a runsc command as JSON, for those who start runsc themselves.
#include "loop.hpp"
#include "options.hpp"

#include <berth/runsc/runsc.hpp>
#include <berth/sandbox/find_runsc.hpp>

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
    {"--directfs", &runsc_globals::directfs},
    {"--ignore-cgroups", &runsc_globals::ignore_cgroups},
    {"--systemd-cgroup", &runsc_globals::systemd_cgroup},
    {"--rootless", &runsc_globals::rootless},
    {"--oci-seccomp", &runsc_globals::oci_seccomp},
    {"--allow-suid", &runsc_globals::allow_suid},
    {"--gso", &runsc_globals::gso},
    {"--software-gso", &runsc_globals::software_gso},
    {"--mount-cgroup-v2", &runsc_globals::mount_cgroup_v2},
    {"--allow-connected-on-save", &runsc_globals::allow_connected_on_save},
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

result<void> finish_globals(runsc_call& c, const runsc_binary& binary, const environment& where) {
  c.globals.root = c.state_root.empty() ? where.root + "/runsc" : absolute_path(c.state_root);
  if (!c.globals.debug_log.empty()) c.globals.debug_log = absolute_path(c.globals.debug_log);
  if (c.docker) {
    c.globals.net_raw = true;
    if (c.host_uds.empty()) c.host_uds = "create";
    // Docker 28 needs it; a release without it can run the Dockers before that.
    if (!binary.packet_write_flag().empty()) c.globals.packet_socket_write = true;
  }
  if (c.network == "sandbox") c.globals.network = runsc_network::sandbox;
  if (c.network == "none") c.globals.network = runsc_network::none;
  if (c.network == "host") {
    if (c.docker) return usage_error("Docker does not work on runsc's host network", "--network");
    c.globals.network = runsc_network::host;
  }
  if (c.log_format == "text") c.globals.log_format = runsc_log_format::text;
  if (c.log_format == "json") c.globals.log_format = runsc_log_format::json;
  if (c.log_format == "json-k8s") c.globals.log_format = runsc_log_format::json_k8s;
  if (c.file_access == "exclusive") c.globals.file_access = runsc_file_access::exclusive;
  if (c.file_access == "shared") c.globals.file_access = runsc_file_access::shared;
  if (c.host_uds == "none") c.globals.host_uds = runsc_host_uds::none;
  if (c.host_uds == "create") c.globals.host_uds = runsc_host_uds::create;
  if (c.host_uds == "open") c.globals.host_uds = runsc_host_uds::open;
  if (c.host_uds == "all") c.globals.host_uds = runsc_host_uds::all;
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
    if (c.compression == "none") o.compression = runsc_compression::none;
    if (c.compression == "flate-best-speed") o.compression = runsc_compression::flate_best_speed;
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
  return print_text(json::strings(*argv).dump() + '\n') ? exit_ok : exit_failed;
}

void add_globals(CLI::App& app, runsc_call& c) {
  const char* group = "Global options of runsc";
  app.add_option("--state-root", c.state_root, "runsc's --root (default: the runsc directory below --root)")
      ->type_name("DIR")
      ->group(group);
  app.add_flag("--docker", c.docker, "what Docker inside needs: --net-raw, --host-uds=create, packet-socket writes")
      ->group(group);
  app.add_option("--debug-log", c.globals.debug_log, "a private directory for runsc's logs")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--log", c.globals.log)->type_name("FILE")->group(group);
  app.add_option("--runsc-log-format", c.log_format, "runsc's --log-format")
      ->check(CLI::IsMember({"text", "json", "json-k8s"}))
      ->group(group);
  app.add_flag("--debug", c.globals.debug, "verbose, slow")->group(group);
  app.add_option("--platform", c.globals.platform)->group(group);
  app.add_option("--network", c.network)->check(CLI::IsMember({"sandbox", "none", "host"}))->group(group);
  app.add_flag("--net-raw", c.globals.net_raw)->group(group);
  app.add_flag("--packet-socket-write", c.globals.packet_socket_write, "under the name that this runsc has for it")
      ->group(group);
  app.add_option("--host-uds", c.host_uds)->check(CLI::IsMember({"none", "create", "open", "all"}))->group(group);
  app.add_option("--overlay2", c.globals.overlay2)->group(group);
  app.add_option("--file-access", c.file_access)->check(CLI::IsMember({"exclusive", "shared"}))->group(group);
  app.add_option("--dcache", c.globals.dcache)->group(group);
  app.add_option("--fdlimit", c.globals.fdlimit)->group(group);
  for (const auto& [name, member] : switches) {
    app.add_option_function<std::string>(
           name, [&c, member = member](const std::string& value) { c.globals.*member = value == "true"; })
        ->check(CLI::IsMember({"true", "false"}))
        ->type_name("")
        ->group(group);
  }
  add_list(app, "--global-arg", c.globals.extra_args, "a further global option, as --global-arg=--name=value")
      ->group(group);
}

void add_descriptors(CLI::App& app, runsc_call& c) {
  add_list(app, "--pass-fd", c.pass_fds, "a descriptor of runsc's, and its number inside; may be repeated")
      ->type_name("HOST:GUEST");
  app.add_option("--exec-fd", c.exec_fd, "a descriptor of the program to run");
}

void add_bundle(CLI::App& app, runsc_call& c) {
  app.add_option("--bundle", c.bundle, "the OCI bundle")->type_name("DIR")->required();
  app.add_option("--console-socket", c.console_socket)->type_name("PATH");
  app.add_option("--pid-file", c.pid_file)->type_name("FILE");
  app.add_option("--user-log", c.user_log)->type_name("FILE");
  app.add_option("--fs-restore-image-path", c.fs_restore_image_path, "restore file systems only")->type_name("DIR");
  app.add_flag("--fs-restore-direct", c.fs_restore_direct);
}

void add_verb_options(const std::string& verb, CLI::App& app, runsc_call& c) {
  if (verb == "create" || verb == "run" || verb == "restore") add_bundle(app, c);
  if (verb == "run" || verb == "restore" || verb == "exec") app.add_flag("-d,--detach", c.detach);
  if (verb == "restore") {
    app.add_option("--image-path", c.image_path)->type_name("DIR")->required();
    app.add_flag("--background", c.background);
    app.add_flag("--direct", c.direct);
  }
  if (verb == "exec") {
    takes_command(app);
    app.add_option("--process", c.process, "a file of OCI process JSON")->type_name("FILE");
    add_list(app, "-e,--env", c.env, "a variable")->type_name("K=V");
    app.add_option("--cwd", c.cwd)->type_name("DIR");
    app.add_option("--user", c.user, "uid[:gid]");
    app.add_option("--additional-gids", c.additional_gids, "a further group; may be repeated")->allow_extra_args(false);
    add_list(app, "--cap", c.caps, "a capability")->type_name("CAP");
    app.add_option("--console-socket", c.console_socket)->type_name("PATH");
    app.add_option("--pid-file", c.pid_file)->type_name("FILE");
    app.add_option("--internal-pid-file", c.internal_pid_file)->type_name("FILE");
  }
  if (verb == "kill") {
    app.add_option("--signal", c.signal, "name or number (default: TERM)");
    app.add_flag("--all", c.all, "every process of the container");
  }
  if (verb == "run" || verb == "exec") add_descriptors(app, c);
  if (verb == "kill" || verb == "wait") app.add_option("--pid", c.pid);
  if (verb == "kill")
    app.add_option("--pgid", c.pgid, "a process group, by its id in the sandbox's root pid namespace");
  if (verb == "wait") {
    app.add_option("--rootpid", c.root_pid, "a pid in the sandbox's root pid namespace");
    app.add_flag("--checkpoint", c.wait_checkpoint);
    app.add_flag("--restore", c.wait_restore);
  }
  if (verb == "delete") app.add_flag("--force", c.force);
  if (verb == "list") {
    app.add_flag("--ids", c.quiet_list, "runsc's --quiet: ids only");
    app.add_flag("--table", c.table, "for people, in place of runsc's --format=json");
    app.add_flag("--sandbox", c.sandboxes_only, "sandboxes only");
  }
  if (verb == "checkpoint" || verb == "fscheckpoint") {
    app.add_option("--image-path", c.image_path)->type_name("DIR")->required();
    app.add_flag("--leave-running", c.leave_running);
    app.add_flag("--direct", c.direct);
  }
  if (verb == "fscheckpoint") app.add_option("--path", c.path, "inside the container, or all-tmpfs");
  if (verb == "tar") {
    app.add_option("--file", c.file, "of runsc tar rootfs-upper: what the container changed")
        ->type_name("FILE")
        ->required();
  } else {  // whose own verb takes them, which runsc's help does not list
    add_list(app, "--arg", c.extra_args, "a further option of the verb, as --arg=--name=value");
  }
  if (verb == "checkpoint") {
    app.add_flag("--exclude-committed-zero-pages", c.exclude_zero_pages);
    app.add_option("--compression", c.compression)->check(CLI::IsMember({"none", "flate-best-speed"}));
  }
  if (verb == "events") {
    app.add_flag("--stats", c.stats, "once, then exit");
    app.add_option("--interval", c.interval, "seconds");
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
