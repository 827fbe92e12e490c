// `berth exec`: a command in a running sandbox, with our streams and its exit code.
#include "attached.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <boost/asio/this_coro.hpp>

namespace berth::cli {
namespace {

struct exec_call {
  std::string id, cwd, user, timeout;
  std::vector<std::string> env;
  bool terminal = false, interactive = false;
};

boost::asio::awaitable<result<exit_status>> run_in(std::shared_ptr<sandbox> box, command what, duration limit) {
  interrupts signals(co_await boost::asio::this_coro::executor);
  attached_options options;
  options.deadline = deadline_after(limit);
  co_return co_await run_attached(*box, std::move(what), signals, options);
}

int act(const exec_call& c, invocation& call) {
  if (c.terminal) {
    return fail(usage_error("berth exec makes no terminal: leave it out, standard input is passed on without it; a program "
                            "that wants a terminal gets one inside by: berth exec ID -- script -qc PROGRAM /dev/null",
                            "--tty"), call);
  }
  auto words = call.command_line();
  if (!words) return fail(words.error(), call);
  if (words->empty()) return fail(usage_error("no command given, put it behind --"), call);
  duration limit = duration::max();
  if (!c.timeout.empty()) {
    const auto parsed = parse_duration(c.timeout, "--timeout");
    if (!parsed) return fail(parsed.error(), call);
    limit = *parsed;
  }
  for (const std::string& variable : c.env)
    if (const auto at = variable.find('='); at == 0 || at == std::string::npos)
      return fail(usage_error(in_quotes(variable) + " is not of the form NAME=VALUE", "--env"), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;

  auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  command what;
  what.argv = std::move(*words);
  what.env = c.env;
  what.cwd = c.cwd;
  what.user = c.user;
  const auto ended = run_loop(run_in(*box, what, limit));
  if (!ended && ended.error().code == errc::timeout && ended.error().layer != "cli") {  // and not that of its output
    const std::string time = format_seconds(std::chrono::duration<double>(limit).count());
    return fail(make_error(errc::timeout, "sandbox", "the command did not end within " + time + " and was killed"), call);
  }
  return ended ? ended->shell_code() : fail(ended.error(), call);
}

}  // namespace

void add_exec(CLI::App& app, invocation& call) {
  auto c = std::make_shared<exec_call>();
  takes_command(app);
  app.add_option("ID", c->id, "the sandbox")->required();
  add_list(app, "-e,--env", c->env, "set a variable; may be repeated")->type_name("K=V");
  app.add_option("-w,--cwd,--workdir", c->cwd, "start in this directory")->type_name("DIR");
  app.add_option("-u,--user", c->user, "run as this user: uid[:gid] or a name")->type_name("USER");
  app.add_option("--timeout", c->timeout, "kill the command after this time; exit code 3")->type_name("SECONDS");
  // As typed to docker exec, in one word often (-it). What -i asks for is what happens anyway.
  app.add_flag("-t,--tty", c->terminal)->group("");
  app.add_flag("-i,--interactive", c->interactive)->group("");
  add_examples(app, {"berth exec box -- ls -l /", "berth exec --user 1000 --cwd /src box -- make",
                     "tar c . | berth exec box -- tar x -C /src"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
