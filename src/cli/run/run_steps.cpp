// SPDX-License-Identifier: Apache-2.0
#include "run/run_steps.hpp"

#include <berth/process/cancellation.hpp>
#include <berth/snapshot/pool.hpp>

namespace berth::cli {

namespace asio = boost::asio;

namespace {

// From the plan's snapshot. Whether there is a Docker in it, it tells.
asio::awaitable<result<std::shared_ptr<sandbox>>> restore(run_plan& plan, sandbox_purpose purpose) {
  const auto from = find_snapshot(plan.where, plan.from);
  if (!from) co_return from.error();
  plan.docker = from->manifest.docker;
  restore_options options(plan.config);
  options.purpose = std::move(purpose);
  auto work = restore_snapshot(plan.where, plan.from, std::move(options));
  co_return co_await std::move(work);
}

// Out of the plan's pool.
asio::awaitable<result<std::shared_ptr<sandbox>>> take(run_plan& plan, sandbox_purpose purpose) {
  auto pool = sandbox_pool::find(plan.where, plan.pool);
  if (!pool) co_return std::move(pool).error();
  const sandbox_config& c = plan.config;
  take_options options{{c.annotations, c.watch_creator, c.owner, c.lifetime, c.idle_timeout, c.hibernate}, c.egress};
  auto work = pool->take(std::move(options));
  auto taken = co_await std::move(work);
  if (!taken) co_return std::move(taken).error();
  purpose.docker = plan.docker = taken->docker;
  if (auto written = write_purpose(taken->box->record().directory, purpose); !written) {
    auto ending = past_cancellation(taken->box->terminate());
    (void)co_await std::move(ending);
    co_return std::move(written).error();
  }
  co_return std::move(taken->box);
}

}  // namespace

asio::awaitable<result<std::shared_ptr<sandbox>>> make_sandbox_of(run_plan& plan) {
  plan.began = clock::now();
  plan.where.on_phase = [sink = plan.where.log](std::string_view phase) {
    log(sink, log_level::debug, "sandbox", {{"phase", std::string(phase)}});
  };
  sandbox_purpose purpose;
  purpose.detached = plan.detached;
  purpose.command = plan.command;
  std::optional<docker_recipe> docker;
  if (plan.docker) docker = plan.recipe;
  auto making = !plan.pool.empty()   ? take(plan, std::move(purpose))
                : !plan.from.empty() ? restore(plan, std::move(purpose))
                                     : make_sandbox(plan.where, plan.config, std::move(docker), std::move(purpose));
  co_return co_await std::move(making);
}

docker_settings docker_settings_of(const run_plan& plan) {
  docker_settings out;
  out.recipe = plan.recipe;
  out.dockerd_args = plan.dockerd_args;
  out.ready_timeout = plan.ready_timeout_left();
  out.restart = plan.restart;
  return out;
}

asio::awaitable<result<void>> start_docker(const run_plan& plan, std::shared_ptr<sandbox> box,
                                           std::optional<command> run) {
  docker_sandbox docker(plan.where, std::move(box));
  if (plan.from.empty() && plan.pool.empty()) {
    auto starting = docker.start(docker_settings_of(plan), std::move(run));
    co_return co_await std::move(starting);
  }
  // It runs already.
  auto waiting = docker.wait_ready(deadline_after(plan.ready_timeout_left()));
  BERTH_CO_TRY(co_await std::move(waiting));
  if (!run) co_return result<void>();
  auto beginning = docker.begin({}, std::move(run));
  co_return co_await std::move(beginning);
}

asio::awaitable<result<void>> end_sandbox(const run_plan& plan, std::shared_ptr<sandbox> box, bool docker) {
  docker_sandbox ending(plan.where, box);
  auto work = docker ? ending.terminate() : box->terminate();
  co_return co_await std::move(work);
}

}  // namespace berth::cli
