#include "keeper.hpp"

#include <berth/docker/managed.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <unistd.h>

#include <csignal>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

result<supervisor_options> make_supervisor_options(const run_plan& plan, sandbox& box) {
  auto out = docker_supervisor_options(box, plan.recipe);
  if (!out) return out;
  out->plan.dockerd_args = plan.dockerd_args;
  out->ready_timeout = plan.ready_timeout;
  out->restart = plan.restart;
  out->log = plan.where.log;
  return out;
}

}  // namespace

asio::awaitable<result<std::shared_ptr<keeper>>> keeper::create(run_plan plan) {
  if (plan.docker) BERTH_CO_TRY(co_await add_docker(plan.config, plan.recipe, plan.where));
  plan.where.on_phase = [sink = plan.where.log](std::string_view phase) {
    log(sink, log_level::debug, "sandbox", {{"phase", std::string(phase)}});
  };
  const std::shared_ptr<keeper> self(new keeper(std::move(plan)));
  auto made = co_await sandbox::create(self->plan_.where, self->plan_.config);
  if (!made) co_return std::move(made).error();
  self->box_ = std::move(*made);

  status_report& status = self->status_;
  status.keeper = process_identity::of(::getpid());
  status.detached = self->plan_.detached;
  status.docker_wanted = self->plan_.docker;
  status.docker = self->plan_.docker ? daemon_state::starting : daemon_state::disabled;
  status.command = self->plan_.command;
  status.command_is = status.command.empty() ? command_state::none : command_state::waiting;
  if (auto written = write_status(self->box_->record().directory, status); !written) {
    (void)co_await self->box_->terminate();
    co_return std::move(written).error();
  }
  co_return self;
}

asio::awaitable<result<void>> keeper::start_docker() {
  auto options = make_supervisor_options(plan_, *box_);
  if (!options) co_return std::move(options).error();
  auto log = log_file::open(box_->record().daemon_log());
  if (!log) co_return std::move(log).error();
  daemon_log_.emplace(std::move(*log));
  options->on_daemon_line = [this](output_stream, std::string_view line) { daemon_log_->write_line(line); };
  const auto loop = co_await asio::this_coro::executor;
  docker_ = std::make_unique<daemon_supervisor>(loop, *box_, std::move(*options));
  asio::co_spawn(loop, follow(shared_from_this()), asio::detached);
  auto ready = co_await docker_->start();
  report();
  co_return ready;
}

void keeper::report() {
  if (ended_) return;
  if (docker_) {
    const daemon_status now = docker_->status();
    status_.docker = now.state;
    status_.docker_pid = now.pid;
    status_.ready_after_ms = std::chrono::duration_cast<milliseconds>(now.ready_after).count();
    status_.restarts = now.restarts;
    status_.failure.reset();
    if (now.failure) status_.failure = make_failure_report(*now.failure);
  }
  if (const auto written = write_status(box_->record().directory, status_); !written)
    log(plan_.where.log, log_level::warn, "cannot write the sandbox's status", {{"error", written.error().to_string()}});
}

asio::awaitable<void> keeper::follow(std::shared_ptr<keeper> self) {
  daemon_state last = daemon_state::starting;
  while (!self->ended_) {
    const daemon_status now = co_await self->docker_->wait_change(last);
    last = now.state;
    self->report();
    if (last == daemon_state::stopped || last == daemon_state::failed || last == daemon_state::not_present) co_return;
  }
}

void keeper::command_started() {
  status_.command_is = command_state::running;
  report();
}

void keeper::command_ended(const exit_status& status) {
  status_.command_is = command_state::exited;
  status_.exit_code = status.shell_code();
  report();
}

asio::awaitable<result<void>> keeper::end() {
  if (docker_) (void)co_await docker_->stop();  // the sandbox goes away whatever became of it
  ended_ = true;
  auto gone = co_await box_->terminate();
  co_return gone;
}

asio::awaitable<void> keeper::stop_docker() {
  if (docker_) (void)co_await docker_->stop();
  report();
  ended_ = true;
}

asio::awaitable<result<void>> keeper::stop() {
  co_await stop_docker();
  const auto binary = box_->runsc();
  if (!binary) co_return binary.error();
  runsc_kill_options everything;
  everything.signal = SIGKILL;
  everything.all = true;
  auto argv = runsc_kill_argv(*binary, box_->globals(), box_->record().container_id(), everything);
  if (!argv) co_return std::move(argv).error();
  spawn_options options;
  options.argv = std::move(*argv);
  options.env = minimal_environment();
  stdio_options io;
  const time_point patience = deadline_after(seconds(10));
  auto killed = co_await run_process(std::move(options), std::move(io), patience);
  if (!killed) co_return std::move(killed).error();
  auto stopped = co_await box_->wait_stopped(patience);
  co_return stopped;
}

}  // namespace berth::cli
