// SPDX-License-Identifier: Apache-2.0
// `berth logs`: what a detached sandbox's command printed, or dockerd.
#include "log_file.hpp"
#include "lookup.hpp"

#include <unistd.h>

namespace berth::cli {

namespace {

struct logs_call {
  std::string id;
  bool daemon = false, follow = false;
};

int act(const logs_call& c, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  const sandbox_record& record = (*box)->record();
  const std::string path = (*box)->shared_path(std::string(c.daemon ? guest_daemon_log_name : guest_command_log_name));
  if (const auto purpose = read_purpose(record.directory); purpose && !c.daemon && !purpose->detached) {
    return fail(make_error(errc::state, "cli", "this sandbox runs in the foreground and its output went there", {},
                           "berth logs --daemon " + c.id + " shows dockerd's"),
                call);
  }
  const auto ended = [&] {
    const auto guest = read_guest_status(record);
    if (!c.daemon && guest && guest->command && guest->command->now == kept_command::state::exited) return true;
    return !(*box)->lives();
  };
  const auto printed = print_log(path, c.follow, ended);
  if (!printed) {
    error e = printed.error();
    if (e.code == errc::not_found) {
      e = make_error(errc::state, "cli",
                     c.daemon ? "dockerd has printed nothing here" : "no command has printed anything here", path,
                     c.daemon ? "was the sandbox made with --docker?" : "was it made with a command behind --?");
    }
    return fail(e, call);
  }
  return *printed ? exit_ok : exit_failed;
}

}  // namespace

void add_logs(CLI::App& app, invocation& call) {
  auto c = std::make_shared<logs_call>();
  app.add_option("ID", c->id, "the sandbox")->required();
  app.add_flag("--daemon", c->daemon, "dockerd's output in place of the command's");
  app.add_flag("-f,--follow", c->follow, "go on with what is printed from now on, until it ends");
  add_examples(app, {"berth logs box", "berth logs --daemon --follow box"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
