// SPDX-License-Identifier: Apache-2.0
// berth_argv: runsc's command lines.
#include "detail/json_out.hpp"
#include "detail/options.hpp"
#include "detail/runsc.hpp"

#include <array>
#include <functional>

namespace berth::capi {

template <class T>
static void read_flag(options_object& o, std::string_view name, T& place) {
  if (const auto b = o.boolean(name)) place = *b;
}

template <class T>
static void read_int(options_object& o, std::string_view name, T& place) {
  if (const auto n = o.integer(name)) place = static_cast<int>(*n);
}

template <class Enum, std::size_t N>
static void read_word(options_object& o, std::string_view name, std::optional<Enum>& place,
                      const std::array<Enum, N>& values) {
  if (const auto value = o.word(name, values)) place = *value;
}

runsc_globals read_runsc_globals(options_object o) {
  runsc_globals g;
  o.into(g.root, o.text("root"));
  o.into(g.debug_log, o.text("debug_log"));
  o.into(g.log, o.text("log"));
  read_word(o, "log_format", g.log_format,
            std::array{runsc_log_format::text, runsc_log_format::json, runsc_log_format::json_k8s});
  read_flag(o, "debug", g.debug);
  o.into(g.platform, o.text("platform"));
  read_word(o, "network", g.network, std::array{runsc_network::sandbox, runsc_network::none, runsc_network::host});
  read_flag(o, "net_raw", g.net_raw);
  read_flag(o, "packet_socket_write", g.packet_socket_write);
  read_word(o, "host_uds", g.host_uds,
            std::array{runsc_host_uds::none, runsc_host_uds::open, runsc_host_uds::create, runsc_host_uds::all});
  o.into(g.overlay2, o.text("overlay2"));
  read_word(o, "file_access", g.file_access, std::array{runsc_file_access::exclusive, runsc_file_access::shared});
  read_flag(o, "directfs", g.directfs);
  read_int(o, "dcache", g.dcache);
  read_int(o, "fdlimit", g.fdlimit);
  read_flag(o, "ignore_cgroups", g.ignore_cgroups);
  read_flag(o, "systemd_cgroup", g.systemd_cgroup);
  read_flag(o, "rootless", g.rootless);
  read_flag(o, "oci_seccomp", g.oci_seccomp);
  read_flag(o, "allow_suid", g.allow_suid);
  read_flag(o, "gso", g.gso);
  read_flag(o, "software_gso", g.software_gso);
  read_flag(o, "mount_cgroup_v2", g.mount_cgroup_v2);
  read_flag(o, "allow_connected_on_save", g.allow_connected_on_save);
  o.into(g.extra_args, o.texts("extra_args"));
  o.finish();
  return g;
}

static void read_create(options_object& o, runsc_create_options& c) {
  o.into(c.bundle, o.text("bundle"));
  o.into(c.console_socket, o.text("console_socket"));
  o.into(c.pid_file, o.text("pid_file"));
  o.into(c.user_log, o.text("user_log"));
  o.into(c.fs_restore_image_path, o.text("fs_restore_image_path"));
  read_flag(o, "fs_restore_direct", c.fs_restore_direct);
}

static void read_pass_fds(options_object& o, std::vector<runsc_pass_fd>& place) {
  for (auto& fd : o.objects("pass_fds")) {
    runsc_pass_fd made;
    read_int(fd, "host", made.host);
    read_int(fd, "guest", made.guest);
    fd.finish();
    place.push_back(made);
  }
}

// The options of one verb, and its command line from them. Called once all names were read.
using argv_maker = std::function<result<runsc_argv>(const runsc_binary&, const runsc_globals&, std::string_view id)>;

template <class Options>
static argv_maker make_verb(Options options, result<runsc_argv> (*make)(const runsc_binary&, const runsc_globals&,
                                                                        std::string_view, const Options&)) {
  return [options = std::move(options), make](const runsc_binary& b, const runsc_globals& g, std::string_view id) {
    return make(b, g, id, options);
  };
}

static argv_maker read_verb(std::string_view verb, options_object& o) {
  if (verb == "tar") {
    runsc_tar_options t;
    o.into(t.file, o.text("file"));
    return make_verb(t, &runsc_tar_rootfs_upper_argv);
  }
  std::vector<std::string> extra;
  o.into(extra, o.texts("extra_args"));
  const auto plain = [&] {
    runsc_plain_options p;
    p.extra_args = extra;
    return p;
  };
  if (verb == "create" || verb == "run" || verb == "restore") {
    runsc_create_options base;
    read_create(o, base);
    base.extra_args = extra;
    if (verb == "create") return make_verb(base, &runsc_create_argv);
    if (verb == "run") {
      runsc_run_options r;
      static_cast<runsc_create_options&>(r) = base;
      read_flag(o, "detach", r.detach);
      read_pass_fds(o, r.pass_fds);
      read_int(o, "exec_fd", r.exec_fd);
      return make_verb(r, &runsc_run_argv);
    }
    runsc_restore_options r;
    static_cast<runsc_create_options&>(r) = base;
    o.into(r.image_path, o.text("image_path"));
    read_flag(o, "detach", r.detach);
    read_flag(o, "background", r.background);
    read_flag(o, "direct", r.direct);
    return make_verb(r, &runsc_restore_argv);
  }
  if (verb == "exec") {
    runsc_exec_options e;
    o.into(e.command, o.texts("command"));
    o.into(e.process, o.text("process"));
    o.into(e.cwd, o.text("cwd"));
    o.into(e.env, o.environment("env"));
    o.into(e.user, o.text("user"));
    o.into(e.additional_gids, o.ids("additional_gids"));
    o.into(e.caps, o.texts("caps"));
    o.into(e.console_socket, o.text("console_socket"));
    o.into(e.pid_file, o.text("pid_file"));
    o.into(e.internal_pid_file, o.text("internal_pid_file"));
    read_flag(o, "detach", e.detach);
    read_pass_fds(o, e.pass_fds);
    read_int(o, "exec_fd", e.exec_fd);
    e.extra_args = extra;
    return make_verb(e, &runsc_exec_argv);
  }
  if (verb == "kill") {
    runsc_kill_options k;
    read_int(o, "signal", k.signal);
    read_flag(o, "all", k.all);
    read_int(o, "pid", k.pid);
    read_int(o, "pgid", k.pgid);
    k.extra_args = extra;
    return make_verb(k, &runsc_kill_argv);
  }
  if (verb == "delete") {
    runsc_delete_options d;
    read_flag(o, "force", d.force);
    d.extra_args = extra;
    return make_verb(d, &runsc_delete_argv);
  }
  if (verb == "list") {
    runsc_list_options l;
    read_flag(o, "json", l.json);
    read_flag(o, "quiet", l.quiet);
    read_flag(o, "sandboxes_only", l.sandboxes_only);
    l.extra_args = extra;
    return argv_maker(
        [l](const runsc_binary& b, const runsc_globals& g, std::string_view) { return runsc_list_argv(b, g, l); });
  }
  if (verb == "wait") {
    runsc_wait_options w;
    read_int(o, "pid", w.pid);
    read_int(o, "root_pid", w.root_pid);
    read_flag(o, "checkpoint", w.checkpoint);
    read_flag(o, "restore", w.restore);
    w.extra_args = extra;
    return make_verb(w, &runsc_wait_argv);
  }
  if (verb == "checkpoint") {
    runsc_checkpoint_options c;
    o.into(c.image_path, o.text("image_path"));
    read_flag(o, "leave_running", c.leave_running);
    read_word(o, "compression", c.compression,
              std::array{runsc_compression::none, runsc_compression::flate_best_speed});
    read_flag(o, "direct", c.direct);
    read_flag(o, "exclude_committed_zero_pages", c.exclude_committed_zero_pages);
    c.extra_args = extra;
    return make_verb(c, &runsc_checkpoint_argv);
  }
  if (verb == "events") {
    runsc_events_options e;
    read_flag(o, "stats", e.stats);
    if (const auto n = o.integer("interval_seconds")) e.interval_seconds = static_cast<std::uint32_t>(*n);
    e.extra_args = extra;
    return make_verb(e, &runsc_events_argv);
  }
  if (verb == "fscheckpoint") {
    runsc_fscheckpoint_options f;
    o.into(f.image_path, o.text("image_path"));
    o.into(f.path, o.text("path"));
    read_flag(o, "leave_running", f.leave_running);
    read_flag(o, "direct", f.direct);
    f.extra_args = extra;
    return make_verb(f, &runsc_fscheckpoint_argv);
  }
  if (verb == "start") return make_verb(plain(), &runsc_start_argv);
  if (verb == "state") return make_verb(plain(), &runsc_state_argv);
  if (verb == "pause") return make_verb(plain(), &runsc_pause_argv);
  if (verb == "resume") return make_verb(plain(), &runsc_resume_argv);
  if (verb == "ps") return make_verb(plain(), &runsc_ps_argv);
  return {};
}

static result<runsc_argv> build_argv(const runsc_binary& binary, std::string_view verb, std::string_view options) {
  const std::string set = "runsc_" + std::string(verb);
  // "globals", "place" and "texts" are sets, and no verbs.
  const option_set* const known = find_option_set(set);
  if (known == nullptr || known->find("globals") == nullptr || verb == "place") {
    return make_error(errc::invalid, "capi", "there is no verb \"" + std::string(verb) + "\" here", "verb",
                      "berth_runsc.h lists the verbs");
  }
  options_text given;
  BERTH_TRY(given.parse(options));
  auto o = given.root(set);
  runsc_globals globals;
  if (auto g = o.object("globals")) globals = read_runsc_globals(std::move(*g));
  std::string id;
  if (verb != "list") o.into(id, o.text("id"));
  const auto make = read_verb(verb, o);
  if (!make) return make_error(errc::internal, "capi", "nobody makes the command line of runsc " + std::string(verb));
  o.finish();
  BERTH_TRY(given.outcome());
  return make(binary, globals, id);
}

}  // namespace berth::capi

using berth::capi::argv_object;
using berth::capi::clear_out;
using berth::capi::guard;

berth_status berth_argv_build(const berth_runsc* runsc, const char* verb, size_t verb_len, const char* options,
                              size_t options_len, berth_argv** argv, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(argv, "argv"));
    BERTH_PIN(r, berth::capi::runsc_object, runsc);
    BERTH_TEXT(name, verb, verb_len);
    BERTH_TEXT(text, options, options_len);
    auto made = berth::capi::build_argv(r->binary, name, text);
    if (!made) return std::move(made).error();
    return berth::capi::hand_out<argv_object>(argv, std::move(*made));
  });
}

void berth_argv_free(berth_argv* argv) {
  berth::capi::handle_free(reinterpret_cast<berth::capi::handle_token>(argv), argv_object::kind);
}

size_t berth_argv_count(const berth_argv* argv) {
  berth::capi::pinned<argv_object> a(argv);
  return a ? a->argv.size() : 0;
}

const char* berth_argv_peek(const berth_argv* argv, size_t i) {
  berth::capi::pinned<argv_object> a(argv);
  return a && i < a->argv.size() ? a->argv[i].c_str() : nullptr;
}

berth_status berth_argv_to_json(const berth_argv* argv, berth_buffer** json, berth_error** err) {
  return guard(err, [&]() -> berth::result<void> {
    BERTH_TRY(clear_out(json, "json"));
    BERTH_PIN(a, argv_object, argv);
    berth::json_writer out;
    out.open_array();
    for (const std::string& argument : a->argv) out.string(argument);
    *json = berth::capi::make_buffer_handle(out.close_array().take());
    return {};
  });
}
