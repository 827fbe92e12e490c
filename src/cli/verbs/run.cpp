// SPDX-License-Identifier: Apache-2.0
// `berth run`: a sandbox for the length of a command, or one that stays.
#include "streams/attached.hpp"
#include "run/lifetime.hpp"
#include "loop.hpp"
#include "run/owner.hpp"
#include "run/run_steps.hpp"
#include "ticker.hpp"

namespace berth::cli {
namespace {

namespace asio = boost::asio;

// What the foreground comes to: the command's exit code, or what went wrong before it.
asio::awaitable<result<int>> run_foreground(run_plan plan, progress& bar) {
  const auto loop = co_await asio::this_coro::executor;
  interrupts signals(loop);
  const ticker ticking(loop, bar);
  const log_sink sink = plan.where.log;

  auto making = make_sandbox_of(plan);
  auto made = co_await until_interrupted(std::move(making), signals);
  if (!made) {
    if (signals.first() != 0) co_return 128 + signals.first();
    co_return std::move(made).error();
  }
  const std::shared_ptr<sandbox> box = std::move(*made);
  const lifetime life(loop, plan.lifetime, signals);
  const owner_watch owner(loop, plan.owner, signals);
  result<int> code = 0;
  bool docker_is_up = false;
  if (plan.docker) {
    bar.start("waiting for the docker daemon");
    auto starting = start_docker(plan, box, {});
    const auto ready = co_await until_interrupted(std::move(starting), signals);
    if (!ready) code = ready.error();
    docker_is_up = ready.has_value();
    bar.stop();
  }
  if (signals.first() != 0) {
    code = 128 + signals.first();
  } else if (code) {
    command what;
    what.argv = plan.command;
    what.user = plan.user;
    attached_options options;
    options.grace = seconds(10);
    const auto ended = co_await run_attached(*box, std::move(what), signals, options);
    if (ended) {
      code = ended->shell_code();
      tell_of_memory_kill(box->record(), 0, *ended, sink);
    } else {
      code = ended.error();
    }
  }
  if (life.over()) code = lifetime::over_error();
  auto ending = end_sandbox(plan, box, docker_is_up);
  if (const auto gone = co_await std::move(ending); !gone) {
    log(sink, log_level::warn, "something of the sandbox could not be removed",
        {{"error", gone.error().to_string()}, {"remedy", "berth gc"}});
  }
  co_return code;
}

int act(const run_call& c, invocation& call) {
  auto plan = plan_run(c, call);
  if (!plan) return fail(plan.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  if (c.detach) return run_detached(std::move(*plan), call);

  progress bar(call.common.output());
  plan->where.log = bar.sink();
  const auto code = run_loop(run_foreground(std::move(*plan), bar));
  bar.stop();
  return code ? *code : fail(code.error(), call);
}

}  // namespace

void add_run(CLI::App& app, invocation& call) {
  auto c = std::make_shared<run_call>();
  add_run_options(app, *c);
  add_examples(app, {"berth run --rootfs ./rootfs -- uname -a",
                     "berth run --rootfs ./rootfs --docker -- docker run --rm hello-world",
                     "id=$(berth run -d --wait --rootfs ./rootfs --docker --memory 2Gi --cpus 2)",
                     "berth run -d --id box --rootfs ./rootfs --docker --data-root /srv/box-images"});
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
