// SPDX-License-Identifier: Apache-2.0
// `berth reap`: what berth-init starts when a sandbox's creator has gone or its lifetime is over (src/guest/host/root_watch.cpp). Not
// for people: `berth rm`.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/docker/guest_daemon.hpp>
#include <berth/sandbox/root_watch.hpp>

namespace berth::cli {
namespace {

// One whose lifetime is over: Docker is stopped in order, then all of it; its record and logs stay.
boost::asio::awaitable<result<void>> stop_sandbox(std::shared_ptr<sandbox> box) {
  guest_daemon docker(box);
  auto stopping = docker.stop(deadline_after(seconds(30)));
  (void)co_await std::move(stopping);  // where there is none, or it does not answer, it ends with the sandbox
  auto ending = box->stop();
  co_return co_await std::move(ending);
}

int act(const std::string& id, const std::string& token, bool stop, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = sandbox::attach(*where, id);
  if (!box) return box.error().code == errc::not_found ? exit_ok : fail(box.error(), call);
  const sandbox_record& record = (*box)->record();
  // Another has its name by now; or it has an owner still.
  if (record.damaged || record.token != token) return exit_ok;
  if (stop) {
    const auto stopped = run_loop(stop_sandbox(*box));
    return stopped ? int{exit_ok} : fail(stopped.error(), call);
  }
  if (!is_forsaken(record)) return exit_ok;
  const auto gone = run_loop((*box)->terminate());
  return gone ? int{exit_ok} : fail(gone.error(), call);
}

}  // namespace

void add_reap(CLI::App& app, invocation& call) {
  auto id = std::make_shared<std::string>(), token = std::make_shared<std::string>();
  app.add_option("ID", *id, "the sandbox")->required();
  app.add_option("TOKEN", *token, "its token, in its record")->required();
  auto stop = std::make_shared<bool>(false);
  app.add_flag("--stop", *stop, "only stop it, since its lifetime is over");
  app.callback([=, &call] { call.act = [=, &call] { return act(*id, *token, *stop, call); }; });
}

}  // namespace berth::cli
