// `berth run`: a sandbox for the length of a command, or one that stays.
#include "attached.hpp"
#include "keeper.hpp"
#include "lifetime.hpp"
#include "loop.hpp"
#include "monitor.hpp"
#include "progress.hpp"

#include <boost/asio/steady_timer.hpp>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

// Keeps the progress line moving while the loop runs.
class ticker {
 public:
  ticker(asio::any_io_executor loop, progress& bar) : timer_(loop), bar_(bar) { next(); }

 private:
  void next() {
    timer_.expires_after(progress::interval);
    timer_.async_wait([this](const boost::system::error_code& ec) {
      if (ec) return;
      bar_.tick();
      next();
    });
  }
  asio::steady_timer timer_;
  progress& bar_;
};

// What the foreground comes to: the command's exit code, or what went wrong before it.
asio::awaitable<result<int>> run_foreground(run_plan plan, progress& bar) {
  const auto loop = co_await asio::this_coro::executor;
  interrupts signals(loop);
  const ticker ticking(loop, bar);
  const log_sink sink = plan.where.log;

  auto made = co_await until_interrupted(keeper::create(std::move(plan)), signals);
  if (!made) {
    if (signals.first() != 0) co_return 128 + signals.first();
    co_return std::move(made).error();
  }
  const std::shared_ptr<keeper> kept = std::move(*made);
  const lifetime life(loop, kept->plan().lifetime, signals);
  result<int> code = 0;
  if (kept->plan().docker) {
    bar.start("waiting for the docker daemon");
    const auto ready = co_await until_interrupted(kept->start_docker(), signals);
    bar.stop();
    if (!ready) code = ready.error();
  }
  if (signals.first() != 0) {
    code = 128 + signals.first();
  } else if (code) {
    command what;
    what.argv = kept->plan().command;
    what.user = kept->plan().user;
    attached_options options;
    options.grace = seconds(10);
    kept->command_started();
    const auto ended = co_await run_attached(kept->box(), std::move(what), signals, options);
    if (ended) {
      kept->command_ended(*ended);
      code = ended->shell_code();
    } else {
      code = ended.error();
    }
  }
  if (life.over()) code = lifetime::over_error();
  if (const auto gone = co_await kept->end(); !gone) {
    log(sink, log_level::warn, "something of the sandbox could not be removed",
        {{"error", gone.error().to_string()}, {"remedy", "berth gc"}});
  }
  co_return code;
}

int act(const run_call& c, invocation& call) {
  auto plan = plan_run(c, call);
  if (!plan) return fail(plan.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  if (call.monitor_channel >= 0) return run_monitor(std::move(*plan), call.monitor_channel);
  if (c.detach) return run_detached(*plan, call);

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
