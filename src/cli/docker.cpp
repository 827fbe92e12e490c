// `berth docker`: the docker client against a sandbox, this host's or the one inside.
#include "attached.hpp"
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/docker/client.hpp>

#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <csignal>

namespace berth::cli {
namespace {

struct docker_call {
  std::string id, timeout = "30";
  bool inside = false, host = false;
};

boost::asio::awaitable<result<exit_status>> run_inside(std::shared_ptr<sandbox> box, command what) {
  interrupts signals(co_await boost::asio::this_coro::executor);
  attached_options options;
  co_return co_await run_attached(*box, std::move(what), signals, options);
}

// The host's client in place of this process, so that terminal and signals are its own.
error become_client(const std::string& client, const std::vector<std::string>& words, const std::string& socket) {
  std::vector<std::string> environment_list{"DOCKER_HOST=" + docker_host_value(socket)};
  for (std::string& variable : own_environment()) {
    // These would send the client elsewhere, or make it speak TLS to a unix socket.
    bool elsewhere = false;
    for (const std::string_view name : {"DOCKER_HOST=", "DOCKER_CONTEXT=", "DOCKER_TLS=", "DOCKER_TLS_VERIFY=",
                                        "DOCKER_CERT_PATH="})
      elsewhere = elsewhere || variable.starts_with(name);
    if (!elsewhere) environment_list.push_back(std::move(variable));
  }
  std::vector<std::string> argv{"docker"};
  argv.insert(argv.end(), words.begin(), words.end());
  const auto pointers = [](std::vector<std::string>& list) {
    std::vector<char*> out;
    for (std::string& s : list) out.push_back(s.data());
    out.push_back(nullptr);
    return out;
  };
  const auto argv_pointers = pointers(argv);
  const auto env_pointers = pointers(environment_list);
  std::signal(SIGPIPE, SIG_DFL);
  ::execve(client.c_str(), argv_pointers.data(), env_pointers.data());
  return errno_error(errno, "cli", "cannot start the docker client", client);
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
                           "install docker-cli, or leave --host out to use the sandbox's own"), call);
  }
  auto box = find_sandbox(*where, c.id);
  if (!box) return fail_lookup(box.error(), call);
  if (const auto ready = run_loop(wait_for_docker(*box, *limit)); !ready) return fail(ready.error(), call);

  if (!c.inside && !client.empty()) {
    const auto socket = check_docker_socket(**box);
    if (!socket) return fail(socket.error(), call);
    return fail(become_client(client, *words, *socket), call);
  }
  const auto ended = run_loop(run_inside(*box, docker_client_command(*words)));
  return ended ? ended->shell_code() : fail(ended.error(), call);
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
