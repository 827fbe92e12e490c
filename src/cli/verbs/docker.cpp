// SPDX-License-Identifier: Apache-2.0
// `berth docker`: the docker client against a sandbox, this host's or the one inside.
#include "streams/attached.hpp"
#include "docker/docker_client.hpp"
#include "docker/docker_paths.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/base/file.hpp>
#include <berth/base/text.hpp>
#include <berth/docker/client.hpp>
#include <berth/docker/diagnose.hpp>

#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <algorithm>

namespace berth::cli {
namespace {

struct docker_call {
  std::string id, timeout = "30";
  bool inside = false, host = false;
};

boost::asio::awaitable<result<client_end>> run_inside(std::shared_ptr<sandbox> box, command what) {
  interrupts signals(co_await boost::asio::this_coro::executor);
  client_end out;
  attached_options options;
  options.error_tail = &out.error_tail;
  auto ended = co_await run_attached(*box, std::move(what), signals, options);
  if (!ended) co_return std::move(ended).error();
  out.status = *ended;
  co_return out;
}

// What compose would bind, as it tells itself. Nothing where it cannot be asked.
boost::asio::awaitable<result<std::vector<std::string>>> ask_compose(std::string client,
                                                                     std::vector<std::string> words) {
  spawn_options options;
  options.argv = {std::move(client)};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.env = client_environment("/dev/null");  // it reads files only
  stdio_options io;
  io.capture_limit = 8u << 20;
  const time_point deadline = deadline_after(seconds(10));
  const auto ran = co_await run_process(std::move(options), std::move(io), deadline);
  if (!ran || !ran->status.success()) co_return std::vector<std::string>();
  const auto model = parsed_json::parse(ran->out);
  co_return model ? compose_sources(model->root()) : std::vector<std::string>();
}

// Those of `paths` that are not there inside, each once.
boost::asio::awaitable<result<std::vector<std::string>>> missing_inside(std::shared_ptr<sandbox> box,
                                                                        std::vector<std::string> paths) {
  command what;
  what.argv = {"sh", "-c", "i=0; for p; do [ -e \"$p\" ] || [ -L \"$p\" ] || echo $i; i=$((i+1)); done", "berth-look"};
  what.argv.insert(what.argv.end(), paths.begin(), paths.end());
  stdio_options io;
  const time_point deadline = deadline_after(seconds(5));
  const auto ran = co_await run_command(*box, std::move(what), std::move(io), deadline);
  if (!ran) co_return ran.error();
  std::vector<std::string> out;
  std::string_view said = ran->out;
  while (!said.empty()) {
    const std::string_view line = said.substr(0, said.find('\n'));
    said.remove_prefix(std::min(line.size() + 1, said.size()));
    const auto index = parse_number<std::size_t>(line);
    if (index && *index < paths.size() && out.size() < paths.size()) out.push_back(paths[*index]);
  }
  co_return out;
}

// Docker takes the path of a bind in the sandbox, and makes an empty directory where there is none.
void warn_of_paths(const std::shared_ptr<sandbox>& box, std::vector<std::string> sources, const log_sink& sink) {
  std::erase_if(sources, [](const std::string& path) { return ::access(path.c_str(), F_OK) != 0; });
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  if (sources.empty()) return;
  const auto missing = run_loop(missing_inside(box, std::move(sources)));
  if (!missing) return;  // the sandbox is stuck, which the client will tell
  for (const std::string& path : *missing)
    log(sink, log_level::warn,
        "this path is the host's, and not in the sandbox: Docker binds an empty directory in its place",
        {{"path", path},
         {"remedy", "make the sandbox with --volume " + path + ", which puts it there under the same name"}});
}

void print_hint(const diagnosis& known, const output_options& options) {
  std::string text;
  if (options.json) {
    json_writer out;
    out.open_object().key("hint").open_object();
    out.key("id").string(known.what.id).key("cause").string(known.what.cause);
    out.key("remedy").string(known.what.remedy).key("evidence").string(known.evidence);
    text = out.close_object().close_object().take();
  } else {
    text = "berth: " + std::string(known.what.cause) + " [" + std::string(known.what.id) + "]\n  " +
           in_own_words(std::string(known.what.remedy));
  }
  write_all(STDERR_FILENO, text + '\n');
}

int act(const docker_call& c, invocation& call) {
  auto words = call.command_line();
  if (!words) return fail(words.error(), call);
  if (words->empty()) return fail(usage_error("no docker command given, put it behind --"), call);
  const auto limit = parse_duration(c.timeout, "--timeout");
  if (!limit) return fail(limit.error(), call);
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;

  const std::string client = find_program("docker");
  if (c.host && client.empty()) {
    return fail(make_error(errc::not_found, "cli", "this host has no docker client on PATH", {},
                           "install docker-cli, or leave --host out to use the sandbox's own"),
                call);
  }
  auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  environment quiet = *where;
  quiet.log = {};
  if (const auto ready = run_loop(wait_for_docker(std::move(quiet), *box, *limit)); !ready)
    return fail(ready.error(), call);

  const bool by_host = !c.inside && !client.empty();
  std::vector<std::string> sources = bind_sources(*words);
  if (const auto model = compose_config_words(*words); by_host && model) {
    if (const auto found = run_loop(ask_compose(client, *model)))
      sources.insert(sources.end(), found->begin(), found->end());
  }
  warn_of_paths(*box, std::move(sources), where->log);

  result<client_end> ended = client_end();
  if (by_host) {
    const auto socket = check_docker_socket(**box);
    if (!socket) return fail(socket.error(), call);
    ended = run_loop(run_client(client, *words, *socket));
  } else {
    ended = run_loop(run_inside(*box, docker_client_command(*words)));
  }
  if (!ended) return fail(ended.error(), call);
  if (!ended->status.success()) {
    diagnosis_context context;
    if (const auto binary = (*box)->runsc()) context.runsc_release = binary->version().date;
    const auto known = diagnose_docker(ended->error_tail, context);
    if (!known.empty()) print_hint(known.front(), call.common.output());
  }
  return ended->status.shell_code();
}

}  // namespace

void add_docker(CLI::App& app, invocation& call) {
  auto c = std::make_shared<docker_call>();
  takes_command(app);
  app.add_option("ID", c->id, "the sandbox")->required();
  auto* inside = app.add_flag("--inside", c->inside, "use the client inside the sandbox");
  app.add_flag("--host", c->host, "use this host's client (what is taken when there is one)")->excludes(inside);
  app.add_option("--timeout", c->timeout, "how long to wait until Docker is ready (default: 30)")->type_name("SECONDS");
  add_examples(app, {"berth docker box -- ps --all", "berth docker box -- run --rm -it alpine sh",
                     "docker save app | berth docker box -- load"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
