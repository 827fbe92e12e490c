// SPDX-License-Identifier: Apache-2.0
// `berth exec`: a command in a running sandbox, with our streams and its exit code.
#include "verbs/exec.hpp"

#include "streams/attached.hpp"
#include "lookup.hpp"
#include "loop.hpp"
#include "streams/terminal.hpp"

#include <boost/asio/this_coro.hpp>

#include <unistd.h>

namespace berth::cli {
namespace {

boost::asio::awaitable<result<exit_status>> run_in(std::shared_ptr<sandbox> box, command what, duration limit,
                                                   bool on_terminal) {
  interrupts signals(co_await boost::asio::this_coro::executor);
  attached_options options;
  options.deadline = deadline_after(limit);
  if (!on_terminal) co_return co_await run_attached(*box, std::move(what), signals, options);
  terminal_executor inside(std::move(box));
  const raw_terminal raw;
  co_return co_await run_attached(inside, std::move(what), signals, options);
}

}  // namespace

int exec_in(const exec_call& c, std::vector<std::string> words, invocation& call) {
  duration limit = duration::max();
  if (!c.timeout.empty()) {
    const auto parsed = parse_duration(c.timeout, "--timeout");
    if (!parsed) return fail(parsed.error(), call);
    limit = *parsed;
  }
  auto variables = gather_variables(c.variables);
  if (!variables) return fail(variables.error(), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (c.terminal && ::isatty(STDIN_FILENO) != 1) {
    return fail(usage_error("a terminal inside wants one outside, and standard input is none: use berth exec without "
                            "--tty, which passes standard input on"),
                call);
  }
  if (c.terminal && c.via_runsc)
    return fail(usage_error("runsc exec makes no terminal for berth", "--via-runsc"), call);
  if (const auto refused = need_root(call)) return *refused;

  auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  (*box)->use_runsc_exec(c.via_runsc);
  const std::uint64_t killed_before = count_memory_kills((*box)->record());
  command what;
  what.argv = std::move(words);
  what.env = std::move(*variables);
  what.cwd = c.cwd;
  what.user = c.user;
  const auto ended = run_loop(run_in(*box, std::move(what), limit, c.terminal));
  if (!ended && ended.error().code == errc::timeout && ended.error().layer != "cli") {  // and not that of its output
    const std::string time = format_seconds(std::chrono::duration<double>(limit).count());
    // Time is up: nothing is asked any more that could take longer.
    if (is_stopped((*box)->record().sandbox_process)) {
      return fail(
          make_error(errc::timeout, "sandbox", "the sandbox did not answer within " + time + ": its process is stopped",
                     "pid " + std::to_string((*box)->record().sandbox_process.pid),
                     "let it go on (kill -CONT), or remove it: berth rm --force " + c.id),
          call);
    }
    return fail(make_error(errc::timeout, "sandbox", "the command did not end within " + time + " and was killed"),
                call);
  }
  if (ended) tell_of_memory_kill((*box)->record(), killed_before, *ended, where->log);
  return ended ? ended->shell_code() : fail(ended.error(), call);
}

void add_exec_options(CLI::App& app, exec_call& c) {
  app.add_option("ID", c.id, "the sandbox")->required();
  add_variables(app, c.variables);
  add_from_table(app, "exec.cwd", c.cwd);
  add_from_table(app, "exec.user", c.user);
}

void add_exec(CLI::App& app, invocation& call) {
  auto c = std::make_shared<exec_call>();
  takes_command(app);
  add_exec_options(app, *c);
  add_from_table(app, "exec_verb.timeout", c->timeout);
  add_from_table(app, "exec_verb.via_runsc", c->via_runsc);
  add_from_table(app, "exec_verb.tty", c->terminal);
  // As typed to docker exec, in one word often (-it). What -i asks for is what happens anyway.
  app.add_flag("-i,--interactive", c->interactive)->group("");
  add_examples(app, {"berth exec box -- ls -l /", "berth exec --user 1000 --cwd /src box -- make",
                     "berth exec -it box -- python3", "tar c . | berth exec box -- tar x -C /src"});
  app.callback([c, &call] {
    call.act = [c, &call] {
      auto words = call.command_line();
      if (!words) return fail(words.error(), call);
      if (words->empty()) return fail(usage_error("no command given, put it behind --"), call);
      return exec_in(*c, std::move(*words), call);
    };
  });
}

}  // namespace berth::cli
