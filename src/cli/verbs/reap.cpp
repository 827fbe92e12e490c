// SPDX-License-Identifier: Apache-2.0
// `berth reap`: what berth-init starts when a sandbox's creator has gone, its lifetime is over, or it is to go to the disk or to come
// back from there (src/guest/host/root_watch.cpp). Not for people: `berth rm`, `berth hibernate`, `berth resume`.
#include "lookup.hpp"
#include "loop.hpp"

#include <berth/docker/guest_daemon.hpp>
#include <berth/sandbox/root_watch.hpp>

namespace berth::cli {
namespace {

// One whose lifetime is over: Docker is stopped in order, then all of it; its record and logs stay.
boost::asio::awaitable<result<void>> stop_sandbox(std::shared_ptr<sandbox> box) {
  if (!box->record().is_hibernated()) {
    guest_daemon docker(box);
    auto stopping = docker.stop(deadline_after(seconds(30)));
    (void)co_await std::move(stopping);  // where there is none, or it does not answer, it ends with the sandbox
  }
  auto ending = box->stop();
  co_return co_await std::move(ending);
}

boost::asio::awaitable<result<void>> hibernate_unused(std::shared_ptr<sandbox> box) {
  auto work = box->hibernate(milliseconds(box->record().idle_timeout_ms));
  co_return co_await std::move(work);
}

boost::asio::awaitable<result<void>> wake(std::shared_ptr<sandbox> box) {
  if (!box->is_asleep()) co_return result<void>();
  auto work = box->resume(seconds(120));
  co_return co_await std::move(work);
}

struct reap_call {
  std::string id, token;
  bool stop = false, hibernate = false, wake = false;
};

int act(const reap_call& c, invocation& call) {
  const auto where = call.common.find_environment();
  if (!where) return fail(where.error(), call);
  if (const auto refused = need_root(call)) return *refused;
  const auto box = sandbox::attach(*where, c.id);
  if (!box) return box.error().code == errc::not_found ? exit_ok : fail(box.error(), call);
  const sandbox_record& record = (*box)->record();
  // Another has its name by now; or it has an owner still.
  if (record.damaged || record.token != c.token) return exit_ok;
  if (c.stop || c.hibernate || c.wake) {
    const auto done = run_loop(c.stop ? stop_sandbox(*box) : c.wake ? wake(*box) : hibernate_unused(*box));
    if (!done && c.hibernate && done.error().code == errc::state) return reap_in_use;
    return done ? int{exit_ok} : fail(done.error(), call);
  }
  if (!is_forsaken(record)) return exit_ok;
  const auto gone = run_loop((*box)->terminate());
  return gone ? int{exit_ok} : fail(gone.error(), call);
}

}  // namespace

void add_reap(CLI::App& app, invocation& call) {
  auto c = std::make_shared<reap_call>();
  app.add_option("ID", c->id, "the sandbox")->required();
  app.add_option("TOKEN", c->token, "its token, in its record")->required();
  app.add_flag("--stop", c->stop, "only stop it, since its lifetime is over");
  app.add_flag("--hibernate", c->hibernate, "save it to the disk, where nobody has used it for its idle timeout");
  app.add_flag("--wake", c->wake, "have it go on where it is asleep");
  app.callback([c, &call] { call.act = [c, &call] { return act(*c, call); }; });
}

}  // namespace berth::cli
