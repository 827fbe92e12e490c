// SPDX-License-Identifier: Apache-2.0
// A worker that runs gVisor sandboxes with runsc commands of its own, and gets Docker in them from berth.
//
//   embedded_worker RUNSC BUNDLE STATE_DIR ID
//
// BUNDLE holds a config.json that the worker made for itself: root file system, network namespace, limits. berth changes
// that spec, names the runsc options that Docker needs, and supervises dockerd through the class below, which is all that
// it sees of the sandbox. Runs as root. The root file system needs Docker, iptables, iproute2 and sh.
#include <berth/docker/recipe.hpp>
#include <berth/docker/supervisor.hpp>
#include <berth/docker/versions.hpp>
#include <berth/sandbox/config.hpp>
#include <berth/spec/spec_builder.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <fstream>
#include <iostream>

namespace {

namespace asio = boost::asio;

// The worker's knowledge of one sandbox: how it calls runsc for it.
struct worker_sandbox {
  std::string runsc, bundle, state, id;

  // --net-raw belongs to `exec` as well as to `run`: without it runsc takes CAP_NET_RAW from what it executes.
  // (Words one by one: g++ 12 cannot have an initializer list in a coroutine.)
  template <class... Words>
  std::vector<std::string> call(const Words&... words) const {
    std::vector<std::string> argv = {runsc, "--root=" + state + "/runsc", "--net-raw"};
    (argv.push_back(words), ...);
    return argv;
  }
};

berth::spawn_options spawn_of(std::vector<std::string> argv) {
  berth::spawn_options out;
  out.argv = std::move(argv);
  out.env = berth::minimal_environment();
  return out;
}

// A command in the sandbox: a foreground `runsc exec` on the host, whose streams and exit code are the command's.
class worker_command final : public berth::running_command {
 public:
  worker_command(const worker_sandbox& box, asio::any_io_executor loop, berth::process exec, std::string pid_file)
      : box_(box), loop_(std::move(loop)), exec_(std::move(exec)), pid_file_(std::move(pid_file)) {}
  // Ends a command that still runs, as the supervisor asks of an executor: with its group, by a coroutine on the loop.
  ~worker_command() override {
    const pid_t inside = exec_.status() ? 0 : pid();
    ::unlink(pid_file_.c_str());
    if (inside == 0) return;
    berth::spawn_options kill = spawn_of(box_.call("kill", "--pgid=" + std::to_string(inside), box_.id, "9"));
    asio::co_spawn(loop_, run_to_end(std::move(kill)), asio::detached);
  }

  asio::awaitable<berth::result<berth::exit_status>> wait(berth::time_point deadline) override {
    return exec_.wait(deadline);
  }
  // To the command itself: a SIGKILL to `runsc exec` would leave it running inside.
  asio::awaitable<berth::result<void>> signal(int signo) override {
    const pid_t inside = pid();
    if (inside == 0) co_return exec_.signal(signo);
    berth::spawn_options kill =
        spawn_of(box_.call("kill", "--pid=" + std::to_string(inside), box_.id, std::to_string(signo)));
    berth::stdio_options io;
    auto done = co_await berth::run_process(std::move(kill), std::move(io));
    if (!done) co_return done.error();
    if (!done->status.success())
      co_return berth::make_error(berth::errc::runsc_failed, "worker", "runsc kill: " + done->err);
    co_return berth::result<void>();
  }
  asio::awaitable<berth::result<void>> write(std::string_view data) override { return exec_.write(data); }
  void close_stdin() override { exec_.close_stdin(); }
  std::string output(berth::output_stream which) const override { return exec_.output(which); }
  std::optional<berth::exit_status> status() const override { return exec_.status(); }
  pid_t pid() const override {
    pid_t inside = 0;
    std::ifstream(pid_file_) >> inside;
    return inside;
  }

 private:
  static asio::awaitable<void> run_to_end(berth::spawn_options options) {
    berth::stdio_options io;
    (void)co_await berth::run_process(std::move(options), std::move(io));
  }

  const worker_sandbox& box_;
  asio::any_io_executor loop_;
  berth::process exec_;
  std::string pid_file_;
};

class worker_executor final : public berth::executor {
 public:
  explicit worker_executor(const worker_sandbox& box) : box_(box) {}

  asio::awaitable<berth::result<std::unique_ptr<berth::running_command>>> start(berth::command what,
                                                                                berth::stdio_options io) override {
    const std::string pid_file = box_.state + "/exec." + std::to_string(++count_) + ".pid";
    std::vector<std::string> argv = box_.call("exec", "--internal-pid-file=" + pid_file);
    if (!what.cwd.empty()) argv.push_back("--cwd=" + what.cwd);
    if (!what.user.empty()) argv.push_back("--user=" + what.user);
    for (const std::string& entry : what.env) argv.push_back("--env=" + entry);
    argv.push_back(box_.id);
    argv.insert(argv.end(), what.argv.begin(), what.argv.end());
    auto loop = co_await asio::this_coro::executor;
    auto started = berth::process::start(loop, spawn_of(std::move(argv)), std::move(io));
    if (!started) co_return started.error();
    std::unique_ptr<berth::running_command> out =
        std::make_unique<worker_command>(box_, loop, std::move(*started), pid_file);
    co_return out;
  }

 private:
  const worker_sandbox& box_;
  unsigned count_ = 0;
};

// 1. The spec: everything of the worker's own stays, Docker's needs are added.
berth::result<berth::docker_versions> prepare_spec(const worker_sandbox& box, const berth::log_sink& log) {
  const std::string path = box.bundle + "/config.json";
  auto spec = berth::spec_builder::load(path);
  if (!spec) return spec.error();
  berth::docker_recipe recipe;
  recipe.data_root.emplace();  // a tmpfs on /var/lib/docker
  auto guest = berth::find_init({});
  if (!guest) return guest.error();
  recipe.guest = *guest;  // berth-init, which starts dockerd inside
  auto steps = berth::apply_docker(*spec, recipe, log);
  if (!steps) return steps.error();
  BERTH_TRY(spec->write_file(path));
  auto root = spec->get("/root/path");
  if (!root) return root.error();
  return berth::read_docker_versions(root->substr(1, root->size() - 2));  // a JSON string without escapes
}

berth::command ask_docker() {
  berth::command what;
  what.argv = {"docker", "info", "--format", "docker {{.ServerVersion}} with {{.Driver}} in {{.Name}}"};
  return what;
}

asio::awaitable<berth::result<void>> work(const worker_sandbox& box, berth::log_sink log) {
  auto versions = prepare_spec(box, log);
  if (!versions) co_return versions.error();

  // 2. The worker's own way of starting the sandbox. Its stdout is not a pipe, since the sandbox keeps it.
  std::vector<std::string> argv = box.call("run", "--detach", "--bundle=" + box.bundle, box.id);
  argv.insert(argv.begin() + 1, "--debug-log=" + box.state + "/log/");
  if (berth::docker_needs_packet_socket_write(*versions)) argv.insert(argv.begin() + 1, "--allow-packet-socket-write");
  berth::stdio_options quiet;
  quiet.out = quiet.err = berth::stdio_options::output::null;
  auto ran = co_await berth::run_process(spawn_of(std::move(argv)), std::move(quiet));
  if (!ran) co_return ran.error();
  if (!ran->status.success())
    co_return berth::make_error(berth::errc::runsc_failed, "worker", "runsc run: " + ran->status.to_string());

  // 3. dockerd, supervised through the worker's executor.
  worker_executor inside(box);
  berth::result<void> outcome;
  {
    berth::supervisor_options options;
    options.plan.versions = *versions;
    options.restart.what = berth::restart_policy::kind::on_failure;
    options.log = log;
    auto loop = co_await asio::this_coro::executor;
    berth::daemon_supervisor docker(loop, inside, std::move(options));
    outcome = co_await docker.start();
    if (outcome) {
      berth::command what = ask_docker();
      auto info = co_await berth::run_command(inside, std::move(what));
      if (info) std::cout << info->out << std::flush;
      else outcome = info.error();
    }
    const auto stopped = co_await docker.stop();
    if (outcome && !stopped) outcome = stopped.error();
  }

  // 4. The worker takes its sandbox away.
  berth::stdio_options io;
  auto gone = co_await berth::run_process(spawn_of(box.call("delete", "--force", box.id)), std::move(io));
  if (outcome && !gone) outcome = gone.error();
  co_return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: embedded_worker RUNSC BUNDLE STATE_DIR ID\n";
    return 2;
  }
  const worker_sandbox box{argv[1], argv[2], argv[3], argv[4]};
  ::mkdir(box.state.c_str(), 0700);
  ::mkdir((box.state + "/log").c_str(), 0700);
  const berth::log_sink log = [](const berth::log_event& event) { std::cerr << berth::format_console(event) << '\n'; };
  int code = 1;
  asio::io_context loop;
  asio::co_spawn(loop, work(box, log), [&](std::exception_ptr thrown, berth::result<void> outcome) {
    if (thrown) std::cerr << "the worker threw\n";
    else if (!outcome) std::cerr << outcome.error().to_string() << '\n';
    else code = 0;
  });
  loop.run();
  return code;
}
