// SPDX-License-Identifier: Apache-2.0
// `berth run -d`: makes a sandbox, sees Docker in it started, and leaves it. From then on it keeps itself.
#include "interrupts.hpp"
#include "run/lifetime.hpp"
#include "loop.hpp"
#include "run/owner.hpp"
#include "run/run_steps.hpp"
#include "ticker.hpp"

#include <csignal>

namespace berth::cli {
namespace {

namespace asio = boost::asio;

error interrupted_error() { return make_error(errc::cancelled, "cli", "interrupted; the sandbox was removed again"); }

// The command of the plan, which the guest runs.
std::optional<command> kept_command_of(const run_plan& plan) {
  if (plan.command.empty()) return std::nullopt;
  command what;
  what.argv = plan.command;
  what.user = plan.user;
  what.cwd = plan.config.cwd;
  return what;
}

// Has the guest start what the plan wants, and waits for it where that is wanted.
asio::awaitable<result<void>> set_going(std::shared_ptr<sandbox> box, const run_plan& plan) {
  auto run = kept_command_of(plan);
  if (plan.docker && plan.wait) {
    auto starting = start_docker(plan, box, std::move(run));
    co_return co_await std::move(starting);
  }
  // Who does not wait for Docker hears of it when somebody waits.
  std::optional<docker_settings> docker;
  if (plan.docker && plan.from.empty() && plan.pool.empty()) docker = docker_settings_of(plan);
  if (!docker && !run) co_return result<void>();
  environment quiet = plan.where;
  quiet.log = {};
  docker_sandbox keeping(std::move(quiet), std::move(box));
  auto beginning = keeping.begin(std::move(docker), std::move(run));
  co_return co_await std::move(beginning);
}

struct left_running {
  std::shared_ptr<sandbox> box;
  std::optional<error> failed;
  int exit_code = exit_failed;
};

asio::awaitable<left_running> leave_running(run_plan plan, progress& bar,
                                            std::function<bool(const std::string& id)> give_id) {
  const auto loop = co_await asio::this_coro::executor;
  interrupts signals(loop);
  const ticker ticking(loop, bar);
  const owner_watch owner(loop, plan.owner, signals);
  left_running out;

  auto making = make_sandbox_of(plan);
  auto made = co_await until_interrupted(std::move(making), signals);
  if (!made) {
    out.exit_code = signals.first() != 0 ? 128 + signals.first() : exit_code_of(made.error());
    out.failed = signals.first() != 0 ? interrupted_error() : made.error();
    co_return out;
  }
  out.box = std::move(*made);
  const lifetime life(loop, plan.lifetime, signals);
  if (plan.docker && plan.wait) bar.start("waiting for the docker daemon");
  result<void> going;
  if (signals.first() == 0) {
    auto work = set_going(out.box, plan);
    going = co_await until_interrupted(std::move(work), signals);
  }
  bar.stop();
  // What watches the lifetime from outside may have been the quicker one.
  const bool outlived = plan.lifetime != duration::zero() && clock::now() >= deadline_after(plan.lifetime, plan.began);
  if (life.over() || (outlived && !going)) {
    out.failed = lifetime::over_error();
    out.exit_code = exit_code_of(*out.failed);
  } else if (signals.first() != 0) {
    out.failed = interrupted_error();
    out.exit_code = 128 + signals.first();
  } else if (!going) {
    out.failed = going.error();
    out.exit_code = exit_code_of(*out.failed);
  } else {
    if (!give_id(out.box->id()))
      out.failed =
          make_error(errc::io, "cli", "the id could not be printed; the sandbox is removed again", out.box->id());
  }
  if (!out.failed) {
    // From here on the sandbox is the user's, or its owner's.
    auto handing = out.box->hand_over();
    auto handed = co_await std::move(handing);
    // A short command may have ended by now, and somebody may have removed it.
    if (!handed && handed.error().code != errc::not_found) {
      out.failed = std::move(handed).error();
    }
  }
  if (out.failed) {
    bar.start("taking the sandbox down");
    // A Docker that did not come up has nothing to be stopped in order, and a guest that is silent is not waited for again.
    auto ending = end_sandbox(plan, out.box, plan.docker && going);
    const auto gone = co_await std::move(ending);
    bar.stop();
    if (!gone) {
      log(plan.where.log, log_level::warn, "something of the sandbox could not be removed",
          {{"error", gone.error().to_string()}, {"remedy", "berth gc"}});
    }
  }
  co_return out;
}

}  // namespace

int run_detached(run_plan plan, const invocation& call) {
  progress bar(call.common.output());
  plan.where.log = bar.sink();
  // Whoever is killed before it has given the id away leaves nothing: nobody else knows of the sandbox.
  plan.config.watch_creator = true;
  plan.config.owner = plan.owner_identity;
  plan.config.lifetime = plan.lifetime;
  const auto give_id = [json_wanted = call.common.json](const std::string& id) {
    return json_wanted ? print_member("id", id) : print_text(id + "\n");
  };
  const left_running left = run_loop(leave_running(std::move(plan), bar, give_id));
  bar.stop();
  if (!left.failed) return exit_ok;
  (void)fail(*left.failed, call);
  return left.exit_code;
}

}  // namespace berth::cli
