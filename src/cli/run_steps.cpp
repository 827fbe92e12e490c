// SPDX-License-Identifier: Apache-2.0
#include "run_steps.hpp"

#include "run_note.hpp"

#include <berth/docker/guest_daemon.hpp>
#include <berth/docker/managed.hpp>
#include <berth/snapshot/snapshot.hpp>

namespace berth::cli {

namespace asio = boost::asio;

namespace {

// From the plan's snapshot. Whether there is a Docker in it, it tells.
asio::awaitable<result<std::shared_ptr<sandbox>>> restore(run_plan& plan) {
  const auto from = find_snapshot(plan.where, plan.from);
  if (!from) co_return from.error();
  plan.docker = from->manifest.docker;
  auto work = restore_snapshot(plan.where, plan.from, restore_options::of(plan.config));
  co_return co_await std::move(work);
}

}  // namespace

asio::awaitable<result<std::shared_ptr<sandbox>>> make_sandbox(run_plan& plan) {
  plan.began = clock::now();
  if (plan.docker && plan.from.empty()) BERTH_CO_TRY(co_await add_docker(plan.config, plan.recipe, plan.where));
  plan.where.on_phase = [sink = plan.where.log](std::string_view phase) {
    log(sink, log_level::debug, "sandbox", {{"phase", std::string(phase)}});
  };
  auto making = plan.from.empty() ? sandbox::create(plan.where, plan.config) : restore(plan);
  auto made = co_await std::move(making);
  if (!made) co_return std::move(made).error();
  const std::shared_ptr<sandbox> box = std::move(*made);
  run_note note;
  note.detached = plan.detached;
  note.docker = plan.docker;
  note.command = plan.command;
  if (auto written = write_run_note(box->record().directory, note); !written) {
    (void)co_await box->terminate();
    co_return std::move(written).error();
  }
  co_return box;
}

asio::awaitable<result<void>> start_docker(const run_plan& plan, std::shared_ptr<sandbox> box,
                                           std::optional<command> run, log_sink sink) {
  guest_daemon kept(box, std::move(sink));
  if (!plan.from.empty()) {  // it runs already
    auto waiting = kept.wait_ready(deadline_after(plan.ready_timeout_left()));
    BERTH_CO_TRY(co_await std::move(waiting));
    if (!run) co_return result<void>();
    auto beginning = kept.begin({}, std::move(run));
    co_return co_await std::move(beginning);
  }
  auto options = keep_options(plan, *box);
  if (!options) co_return std::move(options).error();
  auto starting = kept.start(std::move(*options), std::move(run));
  co_return co_await std::move(starting);
}

result<supervisor_options> keep_options(const run_plan& plan, sandbox& box) {
  auto out = docker_supervisor_options(box, plan.recipe);
  if (!out) return out;
  out->plan.dockerd_args = plan.dockerd_args;
  out->ready_timeout = plan.ready_timeout_left();
  out->restart = plan.restart;
  return out;
}

asio::awaitable<result<void>> end_sandbox(std::shared_ptr<sandbox> box, bool docker) {
  if (docker && !is_stopped(box->record().sandbox_process)) {
    guest_daemon kept(box);
    auto stopping = kept.stop(deadline_after(seconds(30)));
    (void)co_await std::move(stopping);  // the sandbox goes away whatever became of it
  }
  auto ending = box->terminate();
  co_return co_await std::move(ending);
}

}  // namespace berth::cli
