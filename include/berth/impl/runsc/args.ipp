// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <berth/impl/runsc/arg_builder.ipp>
#include <berth/impl/runsc/globals.ipp>
#include <berth/runsc/args.hpp>
#include <berth/spec/id.hpp>

#include <string>

namespace berth {
namespace detail {

inline void append_id(runsc_arg_builder& args, std::string_view id) {
  if (auto good = check_container_id(id); !good) args.fail(std::move(good).error());
  args.word(id);
}

inline void append_create_options(runsc_arg_builder& args, const runsc_create_options& o) {
  args.path("bundle", o.bundle, true);
  args.path("console-socket", o.console_socket);
  args.path("pid-file", o.pid_file);
  args.path("user-log", o.user_log);
  args.path("fs-restore-image-path", o.fs_restore_image_path);
  args.on("fs-restore-direct", o.fs_restore_direct);
}

inline void append_pass_fds(runsc_arg_builder& args, const std::vector<runsc_pass_fd>& fds) {
  for (const runsc_pass_fd& fd : fds) {
    if (fd.host < 0 || fd.guest < 0) return args.fail(args.invalid("a descriptor to pass is negative", "--pass-fd"));
    args.emit("pass-fd", std::to_string(fd.host) + ":" + std::to_string(fd.guest));
  }
}

/// A verb with options of the shape "flags, extra arguments, id".
template <class Options, class Append>
result<runsc_argv> verb_argv(const runsc_binary& binary, const runsc_globals& globals, std::string_view verb,
                             std::string_view id, const Options& options, Append append, bool starts = false) {
  runsc_arg_builder args(binary);
  append_globals(args, globals, starts);
  args.verb(verb);
  append(args, options);
  args.extra(options.extra_args);
  append_id(args, id);
  return std::move(args).take();
}

inline result<runsc_argv> plain_argv(const runsc_binary& binary, const runsc_globals& globals, std::string_view verb,
                                     std::string_view id, const runsc_plain_options& options) {
  return verb_argv(binary, globals, verb, id, options, [](runsc_arg_builder&, const runsc_plain_options&) {});
}

/// `runsc exec --detach` starts itself again with its own arguments, less every one that *contains* "detach", wherever it
/// stands (2022 to 2026), and, when there is no --pid-file, with one put behind every argument that *is* "exec". So a
/// command such as `docker run --detach x` would silently become `docker run x`.
inline result<runsc_argv> check_detached(runsc_argv argv, bool has_pid_file) {
  int detach_words = 0, exec_words = 0;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    // The one that is ours is "--detach" behind the verb; the builder has checked that there is such a verb.
    const bool ours = argv[i] == "--detach" && exec_words == 1 && detach_words++ == 0;
    if (!ours && argv[i].find("detach") != std::string::npos)
      return make_error(errc::unsupported, "runsc",
                        "`runsc exec --detach` silently drops every argument with \"detach\" in it", argv[i],
                        "run the command in the foreground, or give it in a process file");
    if (argv[i] == "exec" && ++exec_words > 1 && !has_pid_file)
      return make_error(
          errc::unsupported, "runsc",
          "`runsc exec --detach` without a pid file puts an option of its own behind an argument \"exec\"", argv[i],
          "give a pid file");
  }
  return argv;
}

}  // namespace detail

BERTH_DECL result<runsc_argv> runsc_create_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_create_options& options) {
  return detail::verb_argv(binary, globals, "create", id, options, detail::append_create_options, true);
}

BERTH_DECL result<runsc_argv> runsc_run_argv(const runsc_binary& binary, const runsc_globals& globals,
                                             std::string_view id, const runsc_run_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_run_options& o) {
    detail::append_create_options(args, o);
    args.on("detach", o.detach);
    detail::append_pass_fds(args, o.pass_fds);
    args.number("exec-fd", o.exec_fd);
  };
  return detail::verb_argv(binary, globals, "run", id, options, append, true);
}

BERTH_DECL result<runsc_argv> runsc_restore_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                 std::string_view id, const runsc_restore_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_restore_options& o) {
    args.path("image-path", o.image_path, true);
    detail::append_create_options(args, o);
    args.on("detach", o.detach);
    args.on("background", o.background);
    args.on("direct", o.direct);
  };
  return detail::verb_argv(binary, globals, "restore", id, options, append, true);
}

BERTH_DECL result<runsc_argv> runsc_start_argv(const runsc_binary& binary, const runsc_globals& globals,
                                               std::string_view id, const runsc_plain_options& options) {
  return detail::plain_argv(binary, globals, "start", id, options);
}

BERTH_DECL result<runsc_argv> runsc_exec_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              std::string_view id, const runsc_exec_options& options) {
  detail::runsc_arg_builder args(binary);
  detail::append_globals(args, globals, false);
  args.verb("exec");
  args.path("process", options.process);
  args.path("cwd", options.cwd);
  args.each("env", options.env);
  args.text("user", options.user);
  for (std::uint32_t gid : options.additional_gids) args.emit("additional-gids", std::to_string(gid));
  args.each("cap", options.caps);
  args.path("console-socket", options.console_socket);
  args.path("pid-file", options.pid_file);
  args.path("internal-pid-file", options.internal_pid_file);
  args.on("detach", options.detach);
  detail::append_pass_fds(args, options.pass_fds);
  args.number("exec-fd", options.exec_fd);
  args.extra(options.extra_args);
  detail::append_id(args, id);
  const bool more = !options.cwd.empty() || !options.env.empty() || !options.user.empty() ||
                    !options.additional_gids.empty() || !options.caps.empty() || !options.command.empty();
  if (options.process.empty() && options.command.empty()) {
    args.fail(args.invalid("exec needs a command or a process file", {}));
  } else if (!options.process.empty() && more) {
    args.fail(args.invalid("runsc ignores the other options of exec when a process file is given", options.process));
  }
  for (const std::string& variable : options.env)
    if (variable.find('=') == std::string::npos || variable.find('=') == 0)
      args.fail(args.invalid("an environment variable is not of the form K=V", variable));
  // runsc resolves no names: "couldn't parse UID: nobody".
  if (options.user.find_first_not_of("0123456789:") != std::string::npos || options.user.substr(0, 1) == ":")
    args.fail(make_error(errc::invalid, "runsc", "runsc exec takes a user as uid[:gid], in numbers", options.user,
                         "look the name up in the root file system's /etc/passwd first"));
  for (const std::string& word : options.command) args.word(word);
  auto argv = std::move(args).take();
  if (argv && options.detach) return detail::check_detached(*std::move(argv), !options.pid_file.empty());
  return argv;
}

BERTH_DECL result<runsc_argv> runsc_kill_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              std::string_view id, const runsc_kill_options& options) {
  detail::runsc_arg_builder args(binary);
  detail::append_globals(args, globals, false);
  args.verb("kill");
  args.on("all", options.all);
  args.number("pid", options.pid);
  args.number("pgid", options.pgid);
  args.extra(options.extra_args);
  detail::append_id(args, id);
  // runsc knows the named signals only: neither 0 nor the real-time ones.
  if (options.signal < 1 || options.signal > 31)
    args.fail(args.invalid("runsc kill takes the signals 1 to 31", std::to_string(options.signal)));
  if (int{options.all} + int{options.pid.has_value()} + int{options.pgid.has_value()} > 1)
    args.fail(args.invalid("kill takes one of all, pid and pgid", {}));
  // To runsc, 0 means that the option was not given: the whole container would get the signal.
  if ((options.pid && *options.pid <= 0) || (options.pgid && *options.pgid <= 0))
    args.fail(args.invalid("a pid to signal must be positive", {}));
  args.word(std::to_string(options.signal));
  return std::move(args).take();
}

BERTH_DECL result<runsc_argv> runsc_delete_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_delete_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_delete_options& o) { args.on("force", o.force); };
  return detail::verb_argv(binary, globals, "delete", id, options, append);
}

BERTH_DECL result<runsc_argv> runsc_state_argv(const runsc_binary& binary, const runsc_globals& globals,
                                               std::string_view id, const runsc_plain_options& options) {
  return detail::plain_argv(binary, globals, "state", id, options);
}

BERTH_DECL result<runsc_argv> runsc_list_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              const runsc_list_options& options) {
  detail::runsc_arg_builder args(binary);
  detail::append_globals(args, globals, false);
  args.verb("list");
  if (options.json) args.emit("format", "json");
  args.on("quiet", options.quiet);
  args.on("sandbox", options.sandboxes_only);
  args.extra(options.extra_args);
  return std::move(args).take();
}

BERTH_DECL result<runsc_argv> runsc_wait_argv(const runsc_binary& binary, const runsc_globals& globals,
                                              std::string_view id, const runsc_wait_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_wait_options& o) {
    args.number("pid", o.pid);
    args.number("rootpid", o.root_pid);
    args.on("checkpoint", o.checkpoint);
    args.on("restore", o.restore);
  };
  return detail::verb_argv(binary, globals, "wait", id, options, append);
}

BERTH_DECL result<runsc_argv> runsc_pause_argv(const runsc_binary& binary, const runsc_globals& globals,
                                               std::string_view id, const runsc_plain_options& options) {
  return detail::plain_argv(binary, globals, "pause", id, options);
}

BERTH_DECL result<runsc_argv> runsc_resume_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_plain_options& options) {
  return detail::plain_argv(binary, globals, "resume", id, options);
}

BERTH_DECL result<runsc_argv> runsc_checkpoint_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                    std::string_view id, const runsc_checkpoint_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_checkpoint_options& o) {
    args.path("image-path", o.image_path, true);
    args.on("leave-running", o.leave_running);
    if (o.compression)
      args.emit("compression", *o.compression == runsc_compression::none ? "none" : "flate-best-speed");
    args.on("direct", o.direct);
    args.on("exclude-committed-zero-pages", o.exclude_committed_zero_pages);
  };
  return detail::verb_argv(binary, globals, "checkpoint", id, options, append);
}

BERTH_DECL result<runsc_argv> runsc_events_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                std::string_view id, const runsc_events_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_events_options& o) {
    args.on("stats", o.stats);
    args.number("interval", o.interval_seconds);
  };
  return detail::verb_argv(binary, globals, "events", id, options, append);
}

BERTH_DECL result<runsc_argv> runsc_ps_argv(const runsc_binary& binary, const runsc_globals& globals,
                                            std::string_view id, const runsc_plain_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_plain_options&) { args.emit("format", "json"); };
  return detail::verb_argv(binary, globals, "ps", id, options, append);
}

BERTH_DECL result<runsc_argv> runsc_fscheckpoint_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                      std::string_view id, const runsc_fscheckpoint_options& options) {
  const auto append = [](detail::runsc_arg_builder& args, const runsc_fscheckpoint_options& o) {
    args.path("image-path", o.image_path, true);
    args.text("path", o.path);
    args.on("leave-running", o.leave_running);
    args.on("direct", o.direct);
  };
  return detail::verb_argv(binary, globals, "fscheckpoint", id, options, append);
}

BERTH_DECL result<runsc_argv> runsc_tar_rootfs_upper_argv(const runsc_binary& binary, const runsc_globals& globals,
                                                          std::string_view id, const runsc_tar_options& options) {
  detail::runsc_arg_builder args(binary);
  detail::append_globals(args, globals, false);
  args.verb("tar");
  // `runsc help` says nothing of this verb's own verbs and their options: they came with it.
  if (options.file.empty() || options.file.front() != '/')
    args.fail(args.invalid("--file takes an absolute path", options.file));
  args.word("rootfs-upper");
  args.word("--file=" + options.file);
  detail::append_id(args, id);
  return std::move(args).take();
}

}  // namespace berth
